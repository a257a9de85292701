"""A bundle and a recording together: what each expression is, and why that may not be believed.

In: a bundle, and videos, folders of frames or pairs of images. Out: typed results, tables, an ELAN
file, one offline page. `cli` and `bench` may import it.
"""
