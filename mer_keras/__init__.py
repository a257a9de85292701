"""Reproduction suite for facial micro-expression recognition.

In: annotation tables, frames and experiment configs. Out: predictions, and reports that show a
published number beside what the same method gives under a protocol that leaks nothing.
"""

__version__ = "0.1.0"
