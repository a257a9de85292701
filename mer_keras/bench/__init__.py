"""Speed and memory of what a user waits for, as ratios within one run: ``make bench``.

Seconds depend on the machine; how much faster one way is than another on the same machine, a moment
later, says more. Each case runs in a process of its own, so that its peak of memory is its own;
seconds are medians of several repeats, with the least and the largest. All data are drawn.
"""
