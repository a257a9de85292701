"""Footage on disk -> float32 arrays, cached step by step.

In: a samples table and the recipe of one input. Out: its clips, joined by sample id.
May be imported by: training and everything after it. Imports leaves and databases, no TensorFlow.
"""
