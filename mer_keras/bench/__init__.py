"""Speed of what a user waits for, as ratios within one run: ``make bench``.

Seconds depend on the machine; how much faster one way is than another on the same machine, a moment
later, says more. Each measurement is the best of a few repeats.
"""
