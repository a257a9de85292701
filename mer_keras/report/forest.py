"""The figure of the central question: what is published of each method, and what came out here.

A line a method. A diamond is a published number, a dot our own estimate with its 95 % interval over
subjects. Baselines stand below the methods, chance is a dotted line. Runs on drawn faces have a
figure of their own, which shows no published number.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.pipeline_check import chance_uar
from mer_keras.names import slug
from mer_keras.report.drawing import COLOURS, drawing_of
from mer_keras.report.drawn_motion import checked_rows
from mer_keras.report.scoring import MetricValue, score_row
from mer_keras.report.table import Table
from mer_keras.report.tables import marked_name, other_data
from mer_keras.report.view import RunView
from mer_keras.terms import DataKind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Metrics that are drawn, each in a panel of its own; WAR only where it is published.
PANELS = ("uar", "uf1", "war")
#: Width of the figure, and height of a method's line, of titles and of axes, in inches.
_WIDTH, _LINE_HEIGHT, _AROUND = 11.4, 0.2, 1.0
#: Lines that there is room for, however few there are.
_LEAST_LINES = 4
#: Characters of a method's name on one line.
_NAME_WIDTH = 46
_OWN, _PUBLISHED, _BASELINE = COLOURS[0], COLOURS[1], COLOURS[6]


@dataclass(frozen=True)
class ForestLine:
    """What is known of one method.

    Attributes:
        name: as the table has it.
        baseline: whether it stands beside the published table.
        values: metric -> own estimate, 0..1; empty where nothing was run.
        published: metric -> published numbers, 0..1.
        check: on drawn faces, whether the method found the motion; stands at the line's end.
    """

    name: str
    baseline: bool = False
    values: Mapping[str, MetricValue] = field(default_factory=dict)
    published: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    check: str = ""


def forest_lines(config: Experiment, view: RunView) -> list[ForestLine]:
    """Methods of a run, and the quoted ones of its table, in the order of the table.

    Published numbers are those of the whole run whose metric is known. There are none for runs on
    drawn faces and for runs on other data or clips than the table's.
    """
    states = {state.key: state for state in view.rows}
    is_drawn = view.data_kind is DataKind.SYNTHETIC
    apart = is_drawn or bool(other_data(config, view))
    checks = {row.name: str(row.check) for row in checked_rows(config, view)} if is_drawn else {}
    lines = []
    for row in () if apart else config.rows:
        state = states.pop(slug(row.name), None) if config.plan_of(row) else None
        scores = score_row(view, state) if state else None
        published = {
            metric: tuple(
                number.fraction
                for number in row.published
                if number.metric == metric and number.database is None
            )
            for metric in PANELS
        }
        if scores or any(published.values()):
            name = marked_name(state, view) if state else f"{row.name} (quoted)"
            lines.append(ForestLine(name, False, scores.values if scores else {}, published))
    for state in states.values():
        scores = score_row(view, state)
        if scores:
            is_baseline = state.role == "baseline"
            name = state.name if is_baseline else marked_name(state, view)
            check = checks.get(state.name, "")
            lines.append(ForestLine(name, is_baseline, scores.values, check=check))
    return lines


def forest_svg(lines: Sequence[ForestLine], view: RunView, title: str) -> str:
    """Draw the lines from top to bottom, a panel for each metric."""
    metrics = [m for m in PANELS if m != "war" or any(line.published.get(m) for line in lines)]
    names = [textwrap.shorten(line.name, _NAME_WIDTH, placeholder=" …") for line in lines]
    size = (_WIDTH, _AROUND + _LINE_HEIGHT * max(len(lines), _LEAST_LINES))
    with drawing_of(f"forest.{view.run_id}.{title}", title, size, view, left=True) as drawing:
        panels = drawing.figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for axes, metric in zip(panels, metrics, strict=True):
            _draw_panel(axes, lines, metric)
            axes.set_xlabel(f"{metric.upper()}, %")
            if metric == "uar":
                chance = 100 * chance_uar(len(view.classes))
                axes.axvline(chance, color=_BASELINE, linestyle=":", label=f"chance, {chance:.1f}")
        beside_axes = panels[-1].get_yaxis_transform()
        for position, line in enumerate(lines):
            panels[-1].text(
                1.02, position, line.check, transform=beside_axes, va="center", fontsize=8
            )
        panels[0].set_yticks(range(len(lines)), names)
        panels[0].set_ylim(len(lines) - 0.4, -0.6)
        handles = {
            label: handle
            for axes in panels
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        drawing.figure.legend(
            handles.values(), handles.keys(), frameon=False, fontsize=8, loc="upper right", ncols=4
        )
    return drawing.svg


def _draw_panel(axes: "Axes", lines: Sequence[ForestLine], metric: str) -> None:
    """Draw one metric of every line, in per cent."""
    for position, line in enumerate(lines):
        value = line.values.get(metric)
        if value is not None:
            axes.errorbar(
                100 * value.pooled,
                position,
                xerr=[
                    [100 * max(value.pooled - value.low, 0)],
                    [100 * max(value.high - value.pooled, 0)],
                ],
                fmt="s" if line.baseline else "o",
                markersize=4 if line.baseline else 5,
                color=_BASELINE if line.baseline else _OWN,
                label="baseline" if line.baseline else "own estimate",
            )
        for fraction in line.published.get(metric, ()):
            axes.plot(
                100 * fraction,
                position,
                "D",
                markersize=6,
                markerfacecolor="none",
                markeredgewidth=1.4,
                color=_PUBLISHED,
                label="published",
            )
    axes.set_xlim(-2, 102)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def forest_text(lines: Sequence[ForestLine], table: Table) -> str:
    """The figure in words: what each method reached, and what is published of it."""
    parts = []
    for line in lines:
        uar = line.values.get("uar")
        words = []
        if uar is not None:
            interval = f"[{100 * uar.low:.1f}, {100 * uar.high:.1f}]"
            words.append(f"UAR {100 * uar.pooled:.1f} % {interval}")
        words += [line.check] * bool(line.check)
        words += [
            f"published {metric.upper()} {100 * fraction:g} %"
            for metric in PANELS
            for fraction in line.published.get(metric, ())
        ]
        parts.append(f"{line.name}: {', '.join(words)}")
    return f"{table.title}, {table.data_kind} data. {'; '.join(parts)}"
