"""Official annotation tables and folders -> samples table.

In: a database folder in its official layout. Out: one validated row a clip, and the rows left out.
May be imported by: clips and everything after it. Imports no TensorFlow, Keras or OpenCV, and no stand-in.
"""
