"""Trained networks in formats of other programs.

In: a network and clips that try it. Out: a file that gives the same probabilities, and beside it a
description in JSON of what goes in and what comes out.
May be imported by: ``cli``.
"""
