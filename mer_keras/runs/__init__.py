"""Config -> run: composes, trains and stores; computes no metric.

In: an experiment's config. Out: a run folder.
May be imported by: explanation, report, the command line, bench.
"""
