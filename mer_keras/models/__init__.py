"""Networks, one module a paper, listed in ``networks.yaml`` and built by name in ``registry``.

In: an input shape, a number of classes and named readings of what a paper leaves open.
Out: uncompiled ``keras.Model``s that give class probabilities.
May be imported by: training and everything after it.
"""
