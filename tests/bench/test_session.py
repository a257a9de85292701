"""A session on disk, and cases that are added to it later."""

import json

import pytest

from mer_keras.bench.measure import Measurement
from mer_keras.bench.session import Session, stored_session
from mer_keras.errors import ResultsError, UserError

MACHINE = {"versions": {"keras": "3"}, "device": "2 CPU cores", "quick": False, "git": "a"}
ORDER = ["first", "second", "third"]


def row(way, seconds):
    return Measurement("work", way, (seconds,), pieces=2, peak_mib=5, facts={"x": 1.5})


def test_added_cases_stand_beside_the_stored_ones_in_order(places):
    done = Session(MACHINE, ORDER)
    done.add("third", [row("c", 1.0)])
    done.add("second", [], "no GPU")
    done.write()
    later = stored_session({**MACHINE, "git": "b"}, ORDER)
    assert later.rows() == done.rows()
    later.add("first", [row("a", 4.0)])
    later.add("second", [row("b", 2.0)])
    later.write()
    tree = json.loads((places / "results/bench.json").read_text())
    assert [(r["case"], r["ratio"]) for r in tree["measured"]] == [
        ("first", 1.0),
        ("second", 2.0),
        ("third", 4.0),
    ]
    assert tree["not_measured"] == {}
    assert tree["commits"] == {"third": "a", "second": "b", "first": "b"}
    assert "- git: a, b" in (places / "results/bench.md").read_text()


def test_a_case_that_is_measured_again_stands_once(places):
    done = Session(MACHINE, ORDER)
    done.add("first", [row("a", 4.0)])
    done.add("first", [row("a", 2.0)])
    assert [r.median for _, r in done.rows()] == [2.0]
    done.add("first", [], "over 5 s")
    assert done.rows() == [] and done.not_measured == {"first": "over 5 s"}


def test_numbers_of_another_machine_are_not_added_to(places):
    Session(MACHINE, ORDER).write()
    with pytest.raises(UserError, match="other device"):
        stored_session({**MACHINE, "device": "1 GPU"}, ORDER)


def test_without_a_stored_session_a_new_one_begins(places):
    assert stored_session(MACHINE, ORDER).measurements == {}


def test_a_file_of_another_kind_is_refused(places):
    (places / "results/bench.json").write_text(json.dumps(MACHINE))
    with pytest.raises(ResultsError, match="move it away"):
        stored_session(MACHINE, ORDER)
