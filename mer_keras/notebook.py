"""What the notebooks show. Each function returns something that Jupyter displays.

Notebooks use drawn faces, so that anybody can run them; nothing here reads a licensed database.
"""

import base64
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from mer_keras import settings
from mer_keras.arrays import shape_text
from mer_keras.audit import findings
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import load_experiments
from mer_keras.report.departures import departures_of
from mer_keras.report.details import details_of
from mer_keras.report.drawn_motion import check_sentences
from mer_keras.report.illustrations import Illustration, figures_of, published_matrices
from mer_keras.report.table import Table
from mer_keras.report.tables import tables_of
from mer_keras.report.view import RunView
from mer_keras.terms import WATERMARK
from mer_keras.training.quiet_start import import_keras

if TYPE_CHECKING:
    from mer_keras.runs.context import RunContext


@dataclass(frozen=True)
class Shown:
    """HTML that Jupyter displays, and its text for those who read it elsewhere."""

    html: str
    text: str = ""

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text or "(figure)"


def begin() -> None:
    """Keep TensorFlow quiet, and results beside those of the clone, where there is one."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if checkout := settings.checkout():
        os.environ.setdefault("MER_RESULTS", str(checkout / "results"))
    import_keras()


def load(name: str, *overrides: str, rows: Sequence[str] = ()) -> Experiment:
    """Load the quick profile of an experiment, with overrides, and with some of its rows only.

    Raises:
        ConfigError: see ``config.files.load_experiments``.
    """
    config = load_experiments(name, profile="quick", overrides=overrides)[0]
    if not rows:
        return config
    return config.model_copy(update={"rows": tuple(r for r in config.rows if r.name in rows)})


def claims(config: Experiment) -> Shown:
    """The published table, without a run."""
    return _table(tables_of(load_experiments(config.name)[0], [])[0])


def published(config: Experiment) -> Shown:
    """Confusion matrices that the paper prints of this table."""
    return _drawings(published_matrices(config))


def network(name: str, **arguments: object) -> Shown:
    """The network at the paper's input: its layers and what each reads, gives and costs."""
    from mer_keras.models import cost, registry

    built = registry.build(name, None, None, **arguments)
    layers = [
        {
            "layer": layer.name,
            "kind": layer.kind,
            "reads": ", ".join(layer.inputs),
            "output": shape_text(layer.output_shape),
            "parameters": f"{layer.parameters:,}",
            "multiply-accumulates": f"{layer.multiply_accumulates:,}",
        }
        for layer in cost.layer_costs(built)
    ]
    return _table(Table(name, name, "", f"{built.count_params():,} parameters", layers))


def drawing(name: str, **arguments: object) -> Shown:
    """The network at the paper's input as boxes; what is no standard layer stands out."""
    import keras

    from mer_keras.models import cost, registry
    from mer_keras.report.network_drawing import boxes_of, network_svg

    layers = list(cost.layer_costs(registry.build(name, None, None, **arguments)))
    boxes = boxes_of(layers, dir(keras.layers))
    special = ", ".join(dict.fromkeys(box.lines[0] for box in boxes if box.special))
    text = f"{registry.get_spec(name).title}: {len(boxes)} boxes; special: {special or 'none'}"
    svg = network_svg(text, boxes)
    return Shown(f'<div role="img" aria-label="{escape(text)}">{svg}</div>', text)


def faces(context: "RunContext") -> Shown:
    """One drawn clip of each class, 96 pixels wide: frames, what changes, and what moves."""
    from mer_keras.explanation.key_frames import key_frames_of
    from mer_keras.report.faces import draw_strips

    first = context.samples.table.drop_duplicates("label").set_index("label")["sample_id"]
    chosen = {name: first[name] for name in context.classes if name in first.index}
    frames = key_frames_of(context, list(chosen.values()))
    strips = {name: frames[sample] for name, sample in chosen.items() if sample in frames}
    text = f"drawn faces from onset to offset, the change and the flow: {', '.join(strips)}"
    return _picture(draw_strips(strips, synthetic=True).png, text)


def results(config: Experiment, view: RunView) -> Shown:
    """The results of a run, and of each class."""
    tables = [table for table in tables_of(config, [view]) if table.view]
    tables += [table for table in details_of(config, view) if table.title == "Each class"]
    return _together(map(_table, tables), "\n\n")


def figures(view: RunView, kind: str) -> Shown:
    """Figures of every network of a run; ``kind``: ``confusion``, ``curves`` or ``people``."""
    return _drawings(figure for figure in figures_of(view) if figure.name.endswith(f".{kind}"))


def maps(view: RunView, config: Experiment, *, most: int = 2) -> Shown:
    """Where networks look on tested, drawn faces: Grad-CAM, then their own attention.

    Below each figure stands a sentence on every map.

    Args:
        view: the run.
        config: its experiment.
        most: clips that are shown, of one fold: the network of that fold is trained once more.
    """
    from mer_keras.explanation.tested import explain
    from mer_keras.report import explanation as pictures

    tested = view.predictions
    first_fold = tested[tested["fold"] == tested["fold"].iloc[0]].drop_duplicates("label")
    samples = list(first_fold["sample_id"])[:most]
    explanation = explain(config, profile="quick", data="synthetic", samples=samples)
    parts = []
    for figure in pictures.figures_of(explanation):
        parts.append(_picture(figure.drawing.png, f"{WATERMARK}. {figure.text}"))
        parts.append(_list(map(escape, figure.sentences), figure.sentences))
    return _together(parts, "\n")


def stored(report: str) -> Shown:
    """A stored result on real micro-expressions, out of the reports that lie beside the code.

    Args:
        report: name of the report's folder in ``results/published``.
    """
    checkout = settings.checkout()
    pattern = f"results/published/{report}/tables/*.public.csv"
    tables = sorted(checkout.glob(pattern)) if checkout else []
    if not tables:
        return Shown("", f"no stored result {report}: it lies beside the code in a clone")
    cells = pd.read_csv(tables[0], dtype=str, keep_default_na=False)
    columns = [c for c in cells if c == "method" or c.startswith(("UF1 %", "UAR %, real"))]
    complete = cells[cells[columns[1]].str.contains("[", regex=False)]
    shown = complete[columns].rename(columns=lambda name: name.partition(",")[0])
    title = (
        f"Real micro-expressions, public data: {tables[0].stem}. UF1 and UAR in per cent, in "
        "brackets the 95 % interval over people"
    )
    html = f"<p>{escape(title)}</p>{shown.to_html(index=False, border=0)}"
    return Shown(html, f"{title}\n{shown.to_string(index=False)}")


def conclusion(config: Experiment, view: RunView) -> Shown:
    """What the run on drawn faces came to, in a sentence."""
    sentences = check_sentences([(config, view)])
    return Shown("".join(f"<p><b>{escape(s)}</b></p>" for s in sentences), " ".join(sentences))


def implied(paper: str) -> Shown:
    """What the printed numbers of a paper imply, and what they don't."""
    paper_findings = findings.audit(paper)
    return _list(
        [
            f"<b>{escape(f.where)}, {escape(f.about)}</b>: {escape(f.says)}. "
            f"<i>{escape(f.limits)}</i>"
            for f in paper_findings
        ],
        [f"{f.where}, {f.about}: {f.says}. {f.limits}" for f in paper_findings],
    )


def not_reproduced(config: Experiment) -> Shown:
    """What is not as in the paper."""
    lines = departures_of(config)
    return _list(map(escape, lines), lines)


def _list(items: Iterable[str], lines: Sequence[str]) -> Shown:
    """A list of HTML items, and their text."""
    return Shown(f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>", "\n".join(lines))


def _table(table: Table) -> Shown:
    with pd.option_context("display.max_colwidth", None):
        html = pd.DataFrame(table.records).to_html(index=False, border=0)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    html = f"<p>{escape(f'{table.title}: {table.caption}')}</p>{html}<ol>{notes}</ol>"
    text = "\n".join(" | ".join(row) for row in (table.header, *table.rows))
    if table.synthetic:
        html, text = f"<p><b>{WATERMARK}</b></p>{html}", f"{WATERMARK}\n{text}"
    return Shown(html, text)


def _drawings(figures: Iterable[Illustration]) -> Shown:
    drawings = [
        Shown(
            f'<figure role="img" aria-label="{escape(figure.text)}">{figure.svg}'
            f"<figcaption>{escape(figure.text)}</figcaption></figure>",
            figure.text,
        )
        for figure in figures
    ]
    return _together(drawings, "; ")


def _picture(png: bytes, text: str) -> Shown:
    data = base64.b64encode(png).decode()
    return Shown(f'<img alt="{escape(text)}" src="data:image/png;base64,{data}">', text)


def _together(parts: Iterable[Shown], separator: str) -> Shown:
    """Several parts below one another; ``separator`` stands between their texts."""
    shown = list(parts)
    return Shown("".join(p.html for p in shown), separator.join(p.text for p in shown))
