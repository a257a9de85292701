"""Every fault on the list is tried by a test that names it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import FAULTS, Table, numbers_of

TESTS = Path(__file__).parent


def test_each_fault_has_a_test_that_names_its_number():
    named = set()
    for file in TESTS.rglob("test_*.py"):
        for name in re.findall(r"def (test_fault_\w+)", file.read_text()):
            named |= set(numbers_of(name))
    assert set(range(1, 45)) <= set(FAULTS)
    assert named == set(FAULTS)


def test_numbers_are_read_from_names():
    assert numbers_of("a/b.py::test_fault_19_20_what[x]") == [19, 20]
    assert numbers_of("test_default_1") == []


@pytest.mark.parametrize(
    ("phases", "tried", "lost"),
    [
        ([("setup", "passed"), ("call", "passed"), ("teardown", "passed")], 1, 0),
        ([("setup", "passed"), ("call", "failed"), ("teardown", "passed")], 1, 1),
        ([("setup", "failed")], 0, 1),
        ([("setup", "skipped")], 0, 0),
        ([("setup", "passed"), ("call", "skipped"), ("teardown", "passed")], 0, 0),
    ],
)
def test_a_fault_is_tried_by_a_test_that_ran_and_lost_by_one_that_failed(phases, tried, lost):
    table = Table()
    name = "tests/test_a.py::test_fault_19_what"
    for when, outcome in phases:
        report = pytest.TestReport(name, ("", 0, ""), {}, outcome, None, when)
        table.pytest_runtest_logreport(report)
    assert (table.tried[19], table.lost[19]) == (tried, lost)


def test_readers_refuse_damaged_files_and_do_nothing_else():
    """A dozen files each; ``make fuzz`` tries for ten minutes.

    A process of its own, as its peak of memory is among what is looked at.
    """
    from tests.fuzz import TARGETS

    command = [sys.executable, "-m", "tests.fuzz", "--files", "12", "--seed", "1"]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == list(TARGETS)
    for line in lines:
        assert "'refused'" in line
        assert int(line.split()[1]) == 12
