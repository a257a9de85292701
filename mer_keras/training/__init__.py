"""Training of folds: fit, select, predict. The only caller of ``fit``.

In: arrays of one fold, or rows of arrays that all folds share. Out: probabilities of its tested
clips. May be imported by: experiment and everything after it.
"""
