"""Keras layers that several papers' networks share.

In: batches of clips or images, channels last. Out: maps and tokens. Pure Keras: any backend.
May be imported by: models and everything after it.
"""
