"""The array of one clip -> one vector: hand-crafted features, pure NumPy, one module a family.

In: clips of one input. Out: a float32 vector of fixed length for each.
May be imported by: methods and everything after it. Imports leaves only, no TensorFlow.
"""
