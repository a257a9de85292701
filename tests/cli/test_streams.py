"""A command ends as it should whatever its standard streams are."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = "import sys; from mer_keras.cli.main import main; sys.argv[0] = 'mer-keras'; main()"
FULL = "/dev/full"


def end_of(redirection, *arguments):
    """Exit code and standard error of a command, with its streams changed by a shell."""
    line = f'exec "$@" {redirection}'
    done = subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, "-c", COMMAND, *arguments], capture_output=True
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("redirection", "arguments", "code", "said"),
    [
        ("<&- >&- 2>&-", ("list", "databases"), 0, ""),
        (">&-", ("list", "nothing"), 2, "nothing"),
        ("2>&-", ("status", "no-such-run"), 2, ""),
        pytest.param(
            f">{FULL}",
            ("list", "databases"),
            2,
            "No space left on device: make room",
            marks=pytest.mark.skipif(not Path(FULL).exists(), reason="no such device"),
        ),
    ],
)
def test_fault_72_streams_that_are_closed_or_full(redirection, arguments, code, said):
    found_code, found_said = end_of(redirection, *arguments)
    assert found_code == code
    assert said in found_said
    assert "Traceback" not in found_said
    assert "Exception ignored" not in found_said
