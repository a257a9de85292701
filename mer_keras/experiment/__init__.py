"""Config -> run: the composition root. Loads, divides, trains and stores; computes no metric.

In: an experiment's config. Out: a run folder.
May be imported by: explanation, the command line, bench.
"""
