"""One clip's array -> one vector: hand-crafted features, pure NumPy, one module a family.

In: the array of one clip. Out: a float32 vector of fixed length.
May be imported by: methods and everything after it. Imports leaves only, no TensorFlow.
"""
