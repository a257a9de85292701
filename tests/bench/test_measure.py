"""Medians, ratios, exponents and memory."""

import subprocess
import sys

import pytest

from mer_keras.bench.measure import Measurement, exponent, ratios, time_sizes, time_ways, timed
from mer_keras.bench.memory import family_memory, peak_memory


def test_median_and_rate_are_of_the_repeats():
    row = Measurement("w", "a", (1.0, 9.0, 2.0), pieces=10)
    assert (row.median, row.rate) == (2.0, 5.0)
    tree = row.to_json(None)
    assert (tree["least"], tree["median"], tree["largest"]) == (1.0, 2.0, 9.0)


def test_a_row_without_seconds_has_neither_median_nor_ratio():
    row = Measurement("w", "a", facts={"exponent": 1.0})
    assert row.median is None and row.rate is None
    assert ratios([row]) == [None]
    assert row.to_json(None)["least"] is None


def test_ratios_are_to_the_first_way_of_the_same_work():
    rows = [
        Measurement("one", "plain", (4.0,)),
        Measurement("two", "plain", (1.0,)),
        Measurement("one", "ours", (2.0,)),
        Measurement("two", "ours", (2.0,)),
    ]
    assert ratios(rows) == [1, 1, 2, 0.5]


def test_a_time_that_is_none_gives_no_ratio_and_is_not_the_first():
    rows = [
        Measurement("w", "a", (-0.1,)),
        Measurement("w", "b", (2.0,)),
        Measurement("w", "c", (1.0,)),
    ]
    assert ratios(rows) == [None, 1, 2]
    assert rows[0].rate is None


def test_ways_are_timed_in_their_order():
    calls = []
    ways = {name: lambda name=name: calls.append(name) for name in ("a", "b")}
    rows = time_ways("w", ways, pieces=3, repeats=2)
    assert calls == ["a", "a", "b", "b"]
    assert [(row.way, len(row.seconds), row.pieces) for row in rows] == [("a", 2, 3), ("b", 2, 3)]


def test_a_budget_ends_repeats_but_leaves_one():
    assert len(timed(lambda: None, 5, budget=0)) == 1
    assert len(timed(lambda: None, 5)) == 5


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_exponent_finds_the_power(power):
    sizes = [2, 4, 8, 16]
    assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power, abs=1e-9)


@pytest.mark.parametrize(
    ("sizes", "seconds"), [([1], [1]), ([2, 2], [1, 2]), ([1, 2], [0, 1]), ([1, 2], [1])]
)
def test_exponent_refuses_what_has_no_slope(sizes, seconds):
    with pytest.raises(ValueError):
        exponent(sizes, seconds)


def test_sizes_are_measured_in_their_order_and_have_an_exponent():
    rows = time_sizes("w", "a", "side", (2, 4), lambda size: ((size**2, 9, size**2), 7))
    assert [(row.work, row.median, row.pieces, row.peak_mib) for row in rows[:2]] == [
        ("w, side 2", 4, 2, 7),
        ("w, side 4", 16, 4, 7),
    ]
    assert rows[2].work == "w, seconds by side"
    assert rows[2].facts == {"exponent": 2.0, "sizes": "2 to 4"}
    rows = time_sizes("w", "a", "n", (2, 4), lambda size: ((1,), 0), 5)
    assert [row.pieces for row in rows[:2]] == [5, 5]


def test_memory_of_a_process_is_its_own():
    hold = bytearray(300 << 20)
    code = "from mer_keras.bench.memory import peak_memory; print(peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert peak_memory() >= len(hold) >> 20
    assert int(done.stdout) < 200


def test_memory_of_children_is_followed():
    code = "import time; hold = bytearray(200 << 20); time.sleep(2)"
    with family_memory() as peak_of:
        subprocess.run([sys.executable, "-c", code], check=True)
    assert peak_of(1) >= peak_memory() + 200
    assert peak_of(0) == peak_memory()
    assert peak_memory("999999999") == 0
