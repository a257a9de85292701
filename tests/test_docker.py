"""The Dockerfile copies what is there and isn't ignored; its lines are shell."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.test_wheel import BUILD_FILES

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text()
#: Instructions with the lines that go on joined.
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in re.sub(r"^#.*\n", "", TEXT, flags=re.M).replace("\\\n", "").splitlines()
    if line.strip()
]
COPIED = [name for kind, rest in INSTRUCTIONS if kind == "COPY" for name in rest.split()[:-1]]


@pytest.mark.parametrize("name", COPIED)
def test_what_is_copied_is_there_and_not_ignored(name):
    assert (ROOT / name).exists()
    assert f"!{name}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_what_builds_a_wheel_is_copied():
    needed = {*BUILD_FILES, "mer_keras", "experiments"} - {"MANIFEST.in"}
    assert needed <= {*COPIED}


@pytest.mark.parametrize("command", [rest for kind, rest in INSTRUCTIONS if kind == "RUN"])
def test_a_line_is_shell(command):
    done = subprocess.run(["sh", "-n", "-c", command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_runs_as_nobody_special_with_the_processors_tensorflow_by_default():
    kinds = [kind for kind, _ in INSTRUCTIONS]
    assert ["ARG", "DEVICE=cpu"] in INSTRUCTIONS
    assert kinds.index("USER") > max(n for n, kind in enumerate(kinds) if kind in ("RUN", "COPY"))
    assert "tensorflow-cpu==" in (ROOT / "requirements.lock").read_text()
