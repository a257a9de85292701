"""Samples -> folds. The only place where anything is split.

In: a samples table with labels. Out: frozen folds of sample ids, checked and digested.
May be imported by: training and everything after it. Imports only leaves.
"""
