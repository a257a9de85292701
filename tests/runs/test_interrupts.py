"""Ctrl-C twice, as an impatient hand does it, while the command line trains."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mer_keras.report.scoring import score_row
from mer_keras.report.view import read_view
from mer_keras.runs.folder import RunFolder
from tests.runs.small import SMALL, TABLE1, contents, units

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc"),
]

MAIN = "from mer_keras.cli.main import main; main()"
UNITS = 6


def command(results, options):
    """Start a small run in a session of its own, as a terminal does."""
    settings = [word for setting in SMALL for word in ("--set", setting)]
    return subprocess.Popen(
        [
            *(sys.executable, "-c", MAIN, "run", str(TABLE1)),
            *("--profile", "quick", "--data", "real", *settings, *options),
        ],
        env={**os.environ, "MER_RESULTS": str(results)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Where these tests run in the background, Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def living(session):
    """Processes of a session that have not ended; those that nobody waited for have."""
    pids = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:  # The process ended meanwhile.
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            pids.append(int(status.parent.name))
    return pids


@pytest.mark.parametrize("options", [["--workers", "1"], ["--workers", "2"], ["--isolate"]])
def test_fault_41_ctrl_c_twice_ends_at_once_and_loses_nothing(small_data, options):
    calm = command(small_data / "calm", options)
    output, _ = calm.communicate()
    assert calm.returncode == 0, output
    assert "oneDNN" not in output, "TensorFlow's remarks at its start are of no use"

    results = small_data / "troubled"
    troubled = command(results, options)
    while not list(results.glob("*/predictions/**/*.json")) and troubled.poll() is None:
        time.sleep(0.02)
    for _ in range(2):
        os.killpg(troubled.pid, signal.SIGINT)
        time.sleep(0.1)
    output, _ = troubled.communicate(timeout=30)
    # A shell says 130 of either.
    assert troubled.returncode in (130, -signal.SIGINT), output
    assert "Traceback" not in output
    deadline = time.monotonic() + 20
    while living(troubled.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not living(troubled.pid)

    (path,) = results.iterdir()
    folder = RunFolder(path)
    assert len(units(folder)) == UNITS
    assert 0 < sum(map(folder.is_done, units(folder))) < UNITS
    view = read_view(path)
    assert all(row.complete or score_row(view, row) is None for row in view.rows)
    before = contents(path)

    again = command(results, options)
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert contents(path).items() >= before.items()
    (other,) = (small_data / "calm").iterdir()
    assert contents(path) == contents(other)
    assert len(contents(path)) == UNITS
