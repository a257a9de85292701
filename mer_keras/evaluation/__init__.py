"""Predictions -> numbers: metrics, intervals and comparisons.

In: true and predicted classes with their people. Out: numbers. Stored predictions are never changed.
May be imported by: everything that shows results. Imports leaves only, no TensorFlow.
"""
