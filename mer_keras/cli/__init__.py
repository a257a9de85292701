"""Command line: verbs over the other rooms.

In: arguments. Out: an exit code, and what is printed. Nothing imports it.
"""
