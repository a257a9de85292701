"""The functions of plain layers, made fast for TensorFlow on a processor.

In and out: as the plain layer that each form subclasses, with the same weights, initial values and
gradients (tests compare them). ``choice`` says when a network is built of them.
May be imported by: ``layers.choice``.
"""
