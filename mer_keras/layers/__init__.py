"""Keras layers that several papers' networks share, written as their papers' equations.

In: batches of clips or images, channels last. Out: maps and tokens. Pure Keras: any backend.
May be imported by: models and everything after it. Forms made fast for processors: ``fast``.
"""
