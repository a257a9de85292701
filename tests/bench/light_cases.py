"""What the process of a case does in the tests: it starts without TensorFlow."""

import os
import signal
import time

from mer_keras.bench.case import Case
from mer_keras.bench.isolation import call_in_process, measure_in_process
from mer_keras.bench.measure import Measurement, NotMeasuredError


def sleep(options):
    time.sleep(60)


def fail(options):
    raise ValueError(f"{options.folder}/clip.png is damaged")


def end(options):
    os.kill(os.getpid(), signal.SIGKILL)


def lack(options):
    raise NotMeasuredError("no GPU")


def variables(options):
    seconds = (float(options.folder.is_dir()),)
    own = {name: value for name, value in os.environ.items() if name.startswith("MER_")}
    return [Measurement("w", os.environ["KERAS_BACKEND"], seconds, facts=own)]


def wait_for_another(options):
    """A case that has started a process of its own."""
    call_in_process(time.sleep, 60)


def measure_for_ever():
    measure_in_process(Case("a", "", wait_for_another))
