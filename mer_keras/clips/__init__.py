"""Frames on disk -> float32 arrays, cached.

In: a samples table and what a network is fed with. Out: one array of clips, joined by sample id.
May be imported by: pipeline and everything after it. Imports leaves and annotations, no TensorFlow.
"""
