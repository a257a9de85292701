"""Predictions -> numbers: metrics, intervals, comparisons, and which epoch is reported.

In: true and predicted classes with their subjects; trajectories. Out: numbers, epochs.
May be imported by: everything that shows results. Imports leaves only, no TensorFlow.
"""
