"""Arrays -> what ``fit`` consumes: balanced, shuffled, batched, augmented on the device.

In: arrays and ids of one fold. Out: training input. Training ids only are copied or changed.
May be imported by: training and everything after it.
"""
