"""Speed and memory, as ratios within one session: ``make bench``.

In: names of cases. Out: ``bench.json`` and ``bench.md`` in the results folder.
Nothing imports it but the scripts in ``benchmarks/``.
"""
