"""Trained methods that travel: fitted, stored in one file, checked when they are read.

In: an experiment's row. Out: a file that predicts clips anywhere. `prediction` and `cli` import it.
"""
