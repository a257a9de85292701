"""What a machine refuses ends a command with words and a remedy; other errors stay as they are."""

import errno
import os

import numpy as np
import pytest

from mer_keras.cli.machine_limits import what_is_refused


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a.json"), "a.json: No space.*make room"),
        (OSError(errno.EROFS, "Read-only file system"), "another folder"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), "ulimit -n"),
        (OSError(errno.EFBIG, os.strerror(errno.EFBIG)), "ulimit -f"),
        (BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "limits of processes"),
        (RuntimeError("can't start new thread"), "ulimit -u"),
        (MemoryError(), "memory ran out: fewer --workers"),
        (ImportError("libx.so: failed to map segment from shared object"), "less memory"),
    ],
)
def test_fault_72_what_is_refused_has_a_remedy(error, said):
    import re

    assert re.search(said, what_is_refused(error))


def test_fault_42_an_array_that_does_not_fit_is_memory():
    with pytest.raises(MemoryError) as caught:
        np.empty(2**60, "float32")
    assert "memory ran out (Unable to allocate" in what_is_refused(caught.value)


def test_what_began_an_error_is_told():
    error = RuntimeError("can't begin")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert what_is_refused(error).startswith("No space left on device: make room")


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ImportError("no module x")])
def test_other_errors_are_not_the_machines(error):
    assert what_is_refused(error) is None
