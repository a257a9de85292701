"""A pass on disk, and one that goes on with it."""

import json

import pytest

from mer_keras.bench.measure import Measured
from mer_keras.bench.written import Pass, go_on
from mer_keras.errors import ResultsError, UserError

MACHINE = {"versions": {"keras": "3"}, "device": "2 CPU cores", "quick": False, "git": "a"}
ORDER = ["first", "second", "third"]


def row(way, seconds):
    return Measured("work", way, (seconds,), pieces=2, peak_mib=5, facts={"x": 1.5})


def test_a_pass_that_goes_on_has_what_was_stored_in_order(places):
    done = Pass(MACHINE, ORDER)
    done.add("third", [row("c", 1.0)])
    done.add("second", [], "no GPU")
    done.write()
    later = go_on({**MACHINE, "git": "b"}, ORDER)
    assert later.table() == done.table()
    later.add("first", [row("a", 4.0)])
    later.add("second", [row("b", 2.0)])
    later.write()
    found = json.loads((places / "results/bench.json").read_text())
    assert [(r["case"], r["ratio"]) for r in found["measured"]] == [
        ("first", 1.0),
        ("second", 2.0),
        ("third", 4.0),
    ]
    assert found["not_measured"] == {}
    assert found["commits"] == {"third": "a", "second": "b", "first": "b"}
    assert "- git: a, b" in (places / "results/bench.md").read_text()


def test_a_case_that_is_measured_again_stands_once(places):
    done = Pass(MACHINE, ORDER)
    done.add("first", [row("a", 4.0)])
    done.add("first", [row("a", 2.0)])
    assert [r.median for r in done.table()] == [2.0]
    done.add("first", [], "over 5 s")
    assert done.table() == [] and done.absent == {"first": "over 5 s"}


def test_numbers_of_another_machine_are_not_added_to(places):
    Pass(MACHINE, ORDER).write()
    with pytest.raises(UserError, match="other device"):
        go_on({**MACHINE, "device": "1 GPU"}, ORDER)


def test_without_a_stored_pass_a_new_one_begins(places):
    assert go_on(MACHINE, ORDER).rows == {}


def test_a_file_of_another_kind_is_refused(places):
    (places / "results/bench.json").write_text(json.dumps(MACHINE))
    with pytest.raises(ResultsError, match="move it away"):
        go_on(MACHINE, ORDER)
