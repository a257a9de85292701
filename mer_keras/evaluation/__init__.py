"""Predictions -> numbers: metrics, intervals and comparisons.

In: true and predicted classes with their people. Out: numbers. What is stored is not changed.
May be imported by: everything that shows results. Imports leaves only, no TensorFlow.
"""
