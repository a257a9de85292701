"""One reader per database: its official folder -> annotations of its clips.

In: the folder of a database. Out: a ``samples.Reading``, without corrections and checks.
May be imported by: ``databases``. Imports its siblings in ``databases`` only.
"""
