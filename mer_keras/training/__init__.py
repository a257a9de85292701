"""Training of folds: balance, augment, fit, select, predict. The only caller of ``fit``.

In: arrays of one fold, or rows of arrays that all folds share. Out: probabilities of its tested
clips. Training clips only are copied or changed. May be imported by: methods and everything after.
"""
