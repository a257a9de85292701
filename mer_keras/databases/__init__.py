"""Official annotation tables and folders -> samples table.

In: a database folder in its official layout. Out: a validated row a clip, and what was left out.
May be imported by: clips and everything after it. Imports no TensorFlow, OpenCV or stand-in.
"""
