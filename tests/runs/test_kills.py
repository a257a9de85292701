"""A run that is killed while it writes a file goes on to the same bytes (fault 41).

The methods need no network, so that a whole run takes a moment; ``test_faults`` kills trainings.
"""

import os
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

from mer_keras.report.scoring import score_row
from mer_keras.report.view import read_view
from mer_keras.runs.stored_manifest import MANIFEST
from tests.runs.small import SMALL, TABLE1, contents

ROOT = Path(__file__).parents[2]

#: It imports once, then runs the experiment in one child after another. A line on stdin names the
#: folder of results and the file, counted from 1, that the child is killed at: half of it is
#: written by then.
SERVER = """
import os, pathlib, signal, sys
from mer_keras import provenance
from mer_keras.config.files import load_config
from mer_keras.runs import folder, json_files
from mer_keras.runs.run import run_experiment

machine = {"versions": {}, "backend": "none", "device": "none", "git": "none"}
provenance.describe = lambda: {"created": "2026-01-01T00:00:00+00:00", **machine}
config = load_config(pathlib.Path(sys.argv[1]), profile="quick", overrides=sys.argv[2:])
write_whole = json_files.write_whole

def run(fatal):
    written = 0
    def write(path, content):
        nonlocal written
        written += 1
        if written == fatal:
            with json_files.whole_file(path) as temporary:
                temporary.write_bytes(content[: len(content) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
        write_whole(path, content)
    json_files.write_whole = folder.write_whole = write
    run_experiment(config, profile="quick", data="real")

print("ready", flush=True)
for line in sys.stdin:
    results, fatal = line.split()
    child = os.fork()
    if not child:
        os.environ["MER_RESULTS"] = results
        try:
            run(int(fatal))
        except BaseException as error:
            print(type(error).__name__, error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""
KILLED, WELL = 9, 0


@pytest.fixture
def start(small_data):
    """Return a function that runs into a folder until some file and returns how that ended."""
    command = [sys.executable, "-c", SERVER, str(TABLE1), *SMALL, "rows.0.method=linear_svm"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert server.stdout.readline() == "ready\n"

        def run(results, fatal=0):
            print(small_data / results, fatal, file=server.stdin, flush=True)
            return int(server.stdout.readline())

        yield run
        server.stdin.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_fault_41_kills_within_a_write_change_nothing(small_data, start):
    assert start("calm") == WELL
    (calm,) = (small_data / "calm").iterdir()
    whole = contents(calm)
    assert len(whole) == 6

    kills, before = 0, {}
    for fatal in cycle((1, 2, 3, 4, 5)):  # Folds, manifest, predictions or record of some fold.
        ended = start("troubled", fatal)
        (path,) = (small_data / "troubled").iterdir()
        if ended == WELL:
            break
        assert ended == KILLED
        kills += 1
        assert kills < 20, "the run never ends"
        now = contents(path)
        assert now.items() >= before.items(), "what was finished is kept"
        assert now.items() <= whole.items()
        before = now
        if (path / MANIFEST).exists():
            view = read_view(path)
            assert not all(row.complete for row in view.rows)
            for row in view.rows:
                assert row.complete or score_row(view, row) is None
    assert kills >= 4
    assert path.name == calm.name
    assert contents(path) == whole
    assert not list(path.rglob("*.part"))
