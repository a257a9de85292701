"""How fast this machine computes each kind of work, as far as earlier runs have shown.

Expectations come from counted operations and the rate of this machine's matrix products. What work
of a kind really took is kept in the cache, as a factor of the expectation, and corrects the next
one. Where nothing is known of this machine, ``MEASURED`` has what two cores took.
"""

import timeit
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mer_keras import settings
from mer_keras.errors import MerKerasError
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.timetable import SEPARATOR, START

#: Measured work of fewer seconds changes a factor less: half as much at this many.
_TRUST = 5.0
#: Factors that a measurement may lead to; others come from a machine that was suspended.
_LEAST, _MOST = 0.01, 100.0
#: Factors that two idle cores took with quick profiles, by group and method, as
#: ``python -m mer_keras.bench.time_left --fresh`` prints them. Networks that a profile makes
#: narrower have their arguments in their name; STRCN's factor with 128 maps is their share of the
#: multiply-accumulates that 512 have.
MEASURED: dict[str, float] = {
    "draw": 0.13,
    "input|dynamic_image": 0.1,
    "input|flow_sequence": 0.55,
    "start|shallow_convlstm": 0.75,
    "start|shallow_attention_conv3d": 0.34,
    "start|shallow_attention_conv2d": 0.26,
    "start|shallow_attention_convlstm": 0.85,
    "start|resnet10": 0.27,
    "start|micro_attention": 0.36,
    "start|complex_attention": 0.33,
    "start|resnet3d_18": 0.79,
    "start|meranet": 1.40,
    "start|dense_mixed_attention": 1.76,
    "start|learnet": 0.33,
    "start|microexp_stcnn": 0.15,
    "train|shallow_convlstm": 0.54,
    "train|shallow_attention_conv3d": 1.23,
    "train|shallow_attention_conv2d": 1.58,
    "train|shallow_attention_convlstm": 0.52,
    "train|resnet10": 0.85,
    "train|micro_attention": 0.80,
    "train|complex_attention": 0.81,
    "train|resnet3d_18": 1.23,
    "train|meranet": 1.31,
    "train|dense_mixed_attention": 0.69,
    "train|learnet": 2.5,
    "train|microexp_stcnn": 0.53,
    "train|elrcn_te drop=0.2 hidden=32 lstm_units=32 maps=[8, 16, 16, 32, 32] units=64": 0.011,
    "train|dtscnn units=[64, 32]": 0.57,
    "train|alexnet_lstm drop=0.2 lstm_units=32 maps=[16, 32, 32, 32, 32] means=[] units=64": 0.041,
    "train|microexp_fusenet maps=16 units=[64, 32]": 0.34,
    "train|capsulenet maps=32 trunk=none": 0.084,
    "train|emr shrink=4 units=32": 0.24,
    "train|icegan_discriminator shrink=8 spectral=True width=8": 0.074,
    "train|googlenet shrink=8": 0.37,
    "train|alexnet maps=[16, 32, 32, 32, 32] units=64": 0.16,
    "train|strcn maps=128": 0.068,
    "train|strcn maps=16 pools=[2, 2, 2, 2]": 0.014,
    "train|elrcn drop=0.2 hidden=32 lstm_units=32 maps=[8, 16, 16, 32, 32] units=64": 0.009,
    "train|vgg16 drop=0.2 maps=[16, 16, 32, 32, 32] units=64": 0.016,
}
#: Groups of kinds whose time does not depend on what a cache holds.
_LEARNED = ("train", START, "draw")


def factors_of_machine() -> dict[str, float]:
    """Return the factors that earlier runs on this machine have shown, by kind."""
    factors = _stored().get("factors")
    if not isinstance(factors, dict):
        return {}
    return {
        str(kind): float(factor)
        for kind, factor in factors.items()
        if isinstance(factor, int | float) and _LEAST <= factor <= _MOST
    }


def rate_of_machine() -> float:
    """Return the highest rate of matrix products that this machine has shown, operations a second.

    A product that is timed while others keep the machine busy may take a hundred times as long.
    """
    stored = _stored().get("rate")
    known = float(stored) if isinstance(stored, int | float) and _is_rate(stored) else 0.0
    rate = max(known, matrix_rate())
    if rate > known:
        _store({"factors": factors_of_machine(), "rate": rate})
    return rate


def factor_of(kind: str, known: Mapping[str, float]) -> float:
    """Return by which factor work of a kind takes longer than its operations let expect.

    Args:
        kind: a group, a method and more, divided by ``SEPARATOR``.
        known: see ``factors_of_machine``; one of the same method is taken where this very kind
            isn't known.
    """
    if kind in known:
        return known[kind]
    method = SEPARATOR.join(kind.split(SEPARATOR)[:2])
    alike = [factor for name, factor in known.items() if _is_of(name, method)]
    if alike:
        return float(np.exp(np.mean(np.log(alike))))
    without_arguments = method.partition(" ")[0]
    return MEASURED.get(method, MEASURED.get(without_arguments, 1.0))


def remember(timed: Mapping[str, tuple[float, float]]) -> None:
    """Keep what work took, for the next expectation.

    Args:
        timed: expected and measured seconds by kind; the expectations had ``factor_of`` in them.
    """
    factors = factors_of_machine()
    for kind, (expected, measured) in timed.items():
        if kind.partition(SEPARATOR)[0] in _LEARNED:
            correction = (measured + _TRUST) / (expected + _TRUST)
            factor = factor_of(kind, factors) * correction
            factors[kind] = min(max(factor, _LEAST), _MOST)
    _store({**_stored(), "factors": factors})


def matrix_rate(size: int = 512, repeats: int = 30) -> float:
    """Floating-point operations a second of this machine's float32 matrix products.

    The quickest of many short products is taken, since others may use the machine too.
    """
    matrix = np.ones((size, size), np.float32)
    best = min(timeit.repeat(lambda: matrix @ matrix, number=1, repeat=repeats))
    return 2 * size**3 / best


def _is_of(kind: str, method: str) -> bool:
    return kind == method or kind.startswith(method + SEPARATOR)


def _is_rate(number: float) -> bool:
    """Whether a machine may have this rate; the bounds leave room for a century of progress."""
    return 1e6 < number < 1e18


def _stored() -> dict[str, object]:
    """What is known of this machine: ``factors`` and ``rate``; empty if nothing can be read."""
    try:
        stored = read_json(_file())
    except (MerKerasError, OSError):
        return {}
    return stored if isinstance(stored, dict) else {}


def _store(known: Mapping[str, object]) -> None:
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, dict(known))
    except OSError:
        return  # Without a cache that can be written, the next run expects what this one did.


def _file() -> Path:
    return settings.cache_root() / "speeds.json"
