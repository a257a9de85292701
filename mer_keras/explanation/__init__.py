"""Where networks look: class activation maps, attention maps, for clips that they were tested on.

In: an experiment, or a network and its input. Out: arrays in 0..1, as large as the input.
May be imported by: report and cli.
"""
