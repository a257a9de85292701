"""Measurements: how long a function takes, ratios between ways of doing the same work."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from pydantic import JsonValue

from mer_keras.errors import MerKerasError

#: Values beside the seconds, by name. ``int`` is named, so that whole numbers stay whole when read.
Facts = Mapping[str, int | float | str]
#: Seconds of each repeat, and the peak memory in MiB, where it is that of another process.
Timing = tuple[tuple[float, ...], int | None]


class NotMeasuredError(MerKerasError):
    """A case can't run on this machine; the message says why. Other cases go on."""


@dataclass(frozen=True)
class Measurement:
    """One way of doing some work, measured.

    Attributes:
        work: what is done.
        way: how it is done.
        seconds: of each repeat; empty where only ``facts`` are measured.
        pieces: number of clips, folds or frames in one repeat.
        peak_mib: largest memory of the process, or of the device where the backend reports it.
        facts: other values, by name.
    """

    work: str
    way: str
    seconds: tuple[float, ...] = ()
    pieces: int | float = 1
    peak_mib: int | None = None
    facts: Facts = field(default_factory=dict)

    @property
    def median(self) -> float | None:
        """Median of the seconds; None without any."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def rate(self) -> float | None:
        """Pieces a second, by the median."""
        return self.pieces / self.median if self.median and self.median > 0 else None

    def to_json(self, ratio: float | None) -> dict[str, JsonValue]:
        """Return it JSON-ready, with what follows from it and its ratio (see ``ratios``)."""
        numbers = {
            "median": self.median,
            "least": min(self.seconds, default=None),
            "largest": max(self.seconds, default=None),
            "per_second": self.rate,
            "ratio": ratio,
        }
        tree = asdict(self) | {"seconds": list(map(_rounded, self.seconds))}
        return tree | {name: _rounded(number) for name, number in numbers.items()}


def timed(
    function: Callable[[], object],
    repeats: int,
    *,
    budget: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, ...]:
    """Call a function several times; return the seconds of each call.

    Args:
        function: what is called.
        repeats: number of calls, at most.
        budget: seconds after which no further call begins; there is one call at least.
        clock: what tells the seconds; ``time.process_time`` for work of one thread, which other
            processes then don't lengthen.
    """
    seconds: list[float] = []
    while len(seconds) < repeats and (not seconds or sum(seconds) < budget):
        started = clock()
        function()
        seconds.append(clock() - started)
    return tuple(seconds)


def time_ways(
    work: str,
    ways: Mapping[str, Callable[[], object]],
    pieces: float,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Measurement]:
    """Time several ways of doing the same work, which has ``pieces`` clips, folds or frames."""
    return [
        Measurement(work, way, timed(function, repeats, clock=clock), pieces)
        for way, function in ways.items()
    ]


def ratios(measurements: Sequence[Measurement]) -> list[float | None]:
    """Divide the median of the first way of a work by that of each way of it.

    Above 1 is faster than the first way. None stands where there are no seconds, or none above
    zero (the difference of two times may be below zero).
    """
    first: dict[str, float] = {}
    ratios_to_first: list[float | None] = []
    for measurement in measurements:
        median = measurement.median
        if median is None or median <= 0:
            ratios_to_first.append(None)
            continue
        ratios_to_first.append(first.setdefault(measurement.work, median) / median)
    return ratios_to_first


def time_sizes(
    work: str,
    way: str,
    name: str,
    sizes: Sequence[int],
    measure: Callable[[int], Timing],
    pieces: int | None = None,
) -> list[Measurement]:
    """Measure some work at several sizes, then the exponent of its seconds (see ``exponent``).

    Args:
        work: what is done.
        way: how it is done.
        name: of the size.
        sizes: at least two.
        measure: measures one size.
        pieces: number of clips, folds or frames; the size itself if left out.
    """
    measurements = []
    for size in sizes:
        seconds, peak = measure(size)
        measurements.append(
            Measurement(f"{work}, {name} {size}", way, seconds, pieces or size, peak)
        )
    slope = exponent(sizes, [statistics.median(m.seconds) for m in measurements])
    facts: Facts = {"exponent": round(slope, 2), "sizes": f"{min(sizes)} to {max(sizes)}"}
    return [*measurements, Measurement(f"{work}, seconds by {name}", way, facts=facts)]


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Fit ``seconds = c * sizes ** exponent``: the slope of a line through the logarithms.

    1 is linear. A part that doesn't grow with the size, such as a start, makes it smaller.

    Raises:
        ValueError: fewer than two sizes, or a number that is not positive.
    """
    if len(sizes) != len(seconds) or len(set(sizes)) < 2:
        raise ValueError("a slope needs two sizes at least, and seconds of each")
    if min(*sizes, *seconds) <= 0:
        raise ValueError("sizes and seconds must be positive")
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def _rounded(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.5g}")
