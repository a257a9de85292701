"""A run that is killed while it writes a file goes on to the same bytes.

What a killed process leaves is made here without one: half of a file, and nothing after it. The
methods need no network, so that a whole run takes a moment; ``test_faults`` kills trainings.
"""

from itertools import cycle

import pytest

from mer_keras import provenance
from mer_keras.report.scoring import score_row
from mer_keras.report.view import read_view
from mer_keras.runs import folder as folder_room
from mer_keras.runs import json_files
from mer_keras.runs import run as run_room
from mer_keras.runs.context import compose
from mer_keras.runs.stored_manifest import MANIFEST
from tests.runs.small import contents, run, small

MACHINE = {
    "created": "2026-01-01T00:00:00+00:00",
    "versions": {},
    "backend": "none",
    "device": "none",
    "git": "none",
}
UNITS = 6


class KilledError(BaseException):
    """No code of the run handles it, as none handles SIGKILL."""


@pytest.fixture
def start(small_data, monkeypatch):
    """Return a function that runs into a folder, and is killed at a file, counted from 1."""
    config = small("rows.0.method=linear_svm")
    context = compose(config, "quick", "real")
    monkeypatch.setattr(run_room, "compose", lambda *_, **__: context)
    monkeypatch.setattr(provenance, "describe", lambda: MACHINE)
    write_whole = json_files.write_whole

    def start(results, fatal=0):
        written = []

        def write(path, content):
            written.append(path)
            if len(written) == fatal:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.with_name(f"{path.name}.0.part").write_bytes(content[: len(content) // 2])
                raise KilledError
            write_whole(path, content)

        with monkeypatch.context() as patch:
            patch.setenv("MER_RESULTS", str(small_data / results))
            patch.setattr(folder_room, "write_whole", write)
            patch.setattr(json_files, "write_whole", write)
            return run(config).path

    return start


def test_fault_41_kills_within_a_write_change_nothing(small_data, start):
    calm = start("calm")
    whole = contents(calm)
    assert len(whole) == UNITS

    before: dict[str, bytes] = {}
    kills = 0
    for fatal in cycle((1, 2, 3, 4, 5)):  # Folds, manifest, then predictions or records.
        try:
            path = start("troubled", fatal)
            break
        except KilledError:
            kills += 1
        assert kills < 20, "the run never ends"
        (path,) = (small_data / "troubled").iterdir()
        assert list(path.rglob("*.part"))
        stored = contents(path)
        assert before.items() <= stored.items() <= whole.items(), "what was finished is kept"
        before = stored
        if (path / MANIFEST).exists():
            view = read_view(path)
            assert view.done < view.expected
            assert all(row.complete or score_row(view, row) is None for row in view.rows)
    assert kills >= 5
    assert path.name == calm.name
    assert contents(path) == whole
    assert not list(path.rglob("*.part"))
