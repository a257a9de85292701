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
from mer_keras.runs.folder import RunFolder, units_of
from mer_keras.synthetic import stand_ins
from tests.runs.small import SMALL, contents

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks processes up in /proc"),
]

MAIN = "from mer_keras.cli.main import main; main()"
ROOT = Path(__file__).parents[2]
UNITS = 6


def command(results, options):
    """Start a small run in a session of its own, as a terminal does."""
    settings = [word for setting in SMALL for word in ("--set", setting)]
    experiment = ROOT / "experiments/shallow_convlstm/table1.yaml"
    return subprocess.Popen(
        [
            *(sys.executable, "-c", MAIN, "run", str(experiment)),
            *("--profile", "quick", "--data", "real", *settings, *options),
        ],
        env={**os.environ, "MER_RESULTS": str(results)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # where these tests run in the background, it is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def living(session):
    """Processes of a session that have not ended; those that nobody waited for have."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:  # ended meanwhile
            continue
        if fields[0] != "Z" and int(fields[3]) == session:
            found.append(int(status.parent.name))
    return found


@pytest.mark.parametrize("options", [["--workers", "1"], ["--workers", "2"], ["--isolate"]])
def test_fault_41_ctrl_c_twice_ends_at_once_and_loses_nothing(places, options):
    stand_ins.write("samm", places / "data" / "SAMM", stand_ins.StandInOptions(clips=24, size=24))
    calm = command(places / "calm", options)
    output, _ = calm.communicate()
    assert calm.returncode == 0, output

    results = places / "troubled"
    troubled = command(results, options)
    while not list(results.glob("*/predictions/**/*.json")) and troubled.poll() is None:
        time.sleep(0.02)
    for _ in range(2):
        os.killpg(troubled.pid, signal.SIGINT)
        time.sleep(0.1)
    output, _ = troubled.communicate(timeout=30)
    # 130 is what a shell says of either
    assert troubled.returncode in (130, -signal.SIGINT), output
    assert "Traceback" not in output
    deadline = time.monotonic() + 20
    while living(troubled.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not living(troubled.pid)

    (path,) = results.iterdir()
    folder = RunFolder(path)
    units = [u for of_row in units_of(folder.manifest(), folder.folds()).values() for u in of_row]
    assert len(units) == UNITS
    assert 0 < sum(folder.is_done(unit) for unit in units) < UNITS
    view = read_view(path)
    assert all(row.complete or score_row(view, row) is None for row in view.rows)
    before = contents(path)

    again = command(results, options)
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert contents(path).items() >= before.items()
    (other,) = (places / "calm").iterdir()
    assert contents(path) == contents(other)
    assert len(contents(path)) == UNITS
