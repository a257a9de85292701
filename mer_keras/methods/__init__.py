"""Everything that predicts, under one contract: networks, classical methods, chance.

In: clips of a fold and their classes. Out: probabilities of the tested clips.
May be imported by: runs and everything after it.
"""
