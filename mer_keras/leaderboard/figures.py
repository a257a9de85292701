"""Drawings of a table: what is claimed and what is honest, and UF1 over epochs under each rule."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mer_keras.evaluation.epoch_curves import CURVES
from mer_keras.leaderboard.guesses import Guesses
from mer_keras.leaderboard.standings import Standing, Table
from mer_keras.report.drawing import COLOURS, drawing_of

#: Characters of a line of a name.
NAME_WIDTH = 46
#: Height of a method's line in inches.
LINE_HEIGHT = 0.24
#: Lengths of training at which guesses are drawn, and guessers at each.
GUESSED_LENGTHS, GUESSERS = 8, 200
#: An arrow from a claimed score to the honest one.
_ARROW = {"arrowstyle": "->", "color": COLOURS[1], "shrinkA": 4, "shrinkB": 4}


@dataclass(frozen=True)
class _Mark:
    """One kind of point: what it shows of a method, and how it is drawn."""

    title: str
    shape: str
    colour: str
    value_of: Callable[[Standing], float | None]


_MARKS = (
    _Mark("claimed", "D", COLOURS[1], lambda standing: standing.claimed("uf1")),
    _Mark(
        "last epoch, or no epochs",
        "o",
        COLOURS[0],
        lambda standing: standing.honest["uf1"].pooled if standing.honest else None,
    ),
    _Mark(
        "each tested person's best epoch",
        "^",
        COLOURS[2],
        lambda standing: standing.person_best["uf1"].pooled if standing.person_best else None,
    ),
    _Mark(
        "guessing under that rule, as many epochs",
        "x",
        COLOURS[6],
        lambda standing: standing.guessed["uf1"].mean if standing.guessed else None,
    ),
)


def drawn_standings(table: Table) -> list[Standing]:
    """Methods that ``arrows_svg`` draws: those with an honest score, or a claimed UF1."""
    return [
        standing
        for standing in table.standings
        if standing.honest or standing.claimed("uf1") is not None
    ]


def arrows_svg(table: Table, title: str) -> str:
    """Draw an arrow from what is claimed of each method to its honest score, UF1.

    Methods that were not run show their claim alone. Beside them stand each tested person's best
    epoch and what guessing gives under that rule with as many epochs.

    Args:
        table: at least one of its methods is among ``drawn_standings``.
        title: of the drawing.
    """
    shown = drawn_standings(table)
    size = (9.5, 1.3 + LINE_HEIGHT * len(shown))
    with drawing_of(f"arrows.{table.board}.{table.protocol}", title, size) as drawing:
        axes = drawing.figure.add_subplot(xlabel="UF1, %, with the 95 % interval over people")
        for mark in _MARKS:
            points = [
                (100 * value, line)
                for line, standing in enumerate(shown)
                if (value := mark.value_of(standing)) is not None
            ]
            if points:
                values, lines = zip(*points, strict=True)
                axes.plot(values, lines, mark.shape, color=mark.colour, ms=5, label=mark.title)
        for line, standing in enumerate(shown):
            honest, claimed = standing.honest.get("uf1"), standing.claimed("uf1")
            if honest is not None:
                axes.plot([100 * honest.low, 100 * honest.high], [line, line], color=COLOURS[0])
            if honest is not None and claimed is not None:
                axes.annotate(
                    "",
                    xy=(100 * honest.pooled, line),
                    xytext=(100 * claimed, line),
                    arrowprops=_ARROW,
                )
        names = [textwrap.fill(standing.name, NAME_WIDTH) for standing in shown]
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.grid(axis="x", alpha=0.3)
        below_axis = -0.6 / (LINE_HEIGHT * len(shown))
        axes.legend(
            frameon=False, fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.4, below_axis)
        )
    return drawing.svg


def arrows_text(table: Table) -> str:
    """Say in words what the drawing of ``arrows_svg`` shows, best method first."""
    parts = []
    for standing in table.standings:
        honest, claimed = standing.honest.get("uf1"), standing.claimed("uf1")
        words = [] if honest is None else [f"{100 * honest.pooled:.1f} %"]
        words += [] if claimed is None else [f"claimed {100 * claimed:.1f} %"]
        parts += [f"{standing.name} {', '.join(words)}"] * bool(words)
    return f"UF1 of each method: {'; '.join(parts)}"


def curves_svg(standing: Standing, protocol: str) -> str:
    """Draw UF1 of one method over the number of epochs at which training could have ended.

    One line a rule. Dotted: what the choice on held-back training people gives; dashed: guessing,
    where each tested person's best epoch is taken.
    """
    table = standing.arm.curves()
    title = f"{standing.name}, {protocol}, {_seeds(standing.seeds)}"
    name = f"epochs.{standing.arm.entry.source}.{standing.row.key}"
    with drawing_of(name, title, (6.4, 3.4)) as drawing:
        axes = drawing.figure.add_subplot(
            xlabel="epochs of training", ylabel="UF1, %", ylim=(0, 100)
        )
        for curve, colour in zip(CURVES, COLOURS, strict=False):
            axes.plot(table["epochs"], 100 * table[curve.rule], color=colour, label=curve.title)
        if standing.inner:
            inner = 100 * standing.inner["uf1"].pooled
            axes.axhline(inner, color=COLOURS[5], linestyle=":", label="chosen on training people")
        guesses = Guesses(standing.arm.entry, GUESSERS)
        last = int(table["epochs"].iloc[-1])
        lengths = np.unique(np.geomspace(1, last, GUESSED_LENGTHS).round().astype(int)).tolist()
        guessed = [100 * guesses.of(length)["uf1"].mean for length in lengths]
        axes.plot(lengths, guessed, "--", color=COLOURS[6], label="guessing, person's best epoch")
        if len(table) > 1:
            axes.set_xscale("log")
        axes.legend(frameon=False, fontsize=7)
    return drawing.svg


def _seeds(number: int) -> str:
    return "1 seed" if number == 1 else f"{number} seeds"
