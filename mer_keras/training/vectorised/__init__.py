"""Many folds of one small network trained together, with the clips kept on the device.

In: rows of arrays that all folds share. Out: what the trainer gives for each fold.
May be imported by: methods and bench.
"""
