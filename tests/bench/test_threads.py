"""Numbers of threads against rounding: how differences are told, and the table that is stored."""

from pathlib import Path

import numpy as np
import pytest

from mer_keras.bench import threads
from mer_keras.bench.threads import NETWORKS, THREADS, Difference

STORED = Path(__file__).parents[2] / "results/published/bench/threads.md"


@pytest.fixture
def trained(monkeypatch):
    """Predictions by the number of threads, in the place of trainings in processes of their own."""
    by_threads = {
        "1": [[0.5, 0.5], [0.2, 0.8]],
        "2": [[0.5, 0.5], [0.2, 0.8]],
        "4": [[0.25, 0.75], [0.2, 0.8]],
    }

    def call(function, networks, environment):
        (number,) = set(environment.values())
        first = np.array(by_threads[number], "float32")
        second = first + np.float32(number == "4") / 1024
        return {network: [first, second] for network in networks}

    monkeypatch.setattr(threads, "call_in_process", call)


def test_differences_are_those_from_one_thread(trained):
    assert threads.differences(["net"])["net"] == [
        Difference(1, 0.0, 0, True),
        Difference(2, 0.0, 0, True),
        Difference(4, 0.25, 1, False),
    ]


def test_the_table_has_a_row_a_network(trained, capsys):
    assert threads.main(["net", "other"]) == 0
    cells = "same bits | same bits | 0.2, 1 of 8 classes differ (not repeatable) |"
    assert capsys.readouterr().out.splitlines() == [
        "| network | 1 thread | 2 threads | 4 threads |",
        "| --- | --- | --- | --- |",
        f"| net | {cells}",
        f"| other | {cells}",
    ]


def test_the_stored_table_is_of_all_networks():
    """After a change: python -m mer_keras.bench.threads --out results/published/bench/threads.md"""
    rows = [line.split(" | ") for line in STORED.read_text().splitlines() if line[:1] == "|"]
    assert [row[0].removeprefix("| ") for row in rows[2:]] == list(NETWORKS)
    assert {len(row) for row in rows} == {1 + len(THREADS)}
