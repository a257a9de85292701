"""What the notebooks show. Each function returns something that Jupyter displays.

Notebooks use drawn faces, so that anybody can run them; nothing here reads a licensed database.
"""

import base64
import io
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from mer_keras.audit import findings
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import load_experiments
from mer_keras.report.details import details_of
from mer_keras.report.illustrations import figures_of, published_matrices
from mer_keras.report.tables import Table, tables_of
from mer_keras.report.view import RunView, read_view
from mer_keras.terms import WATERMARK, DataKind

#: frames of a clip that are shown, at most
MOST_FRAMES = 5


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
    """Keep TensorFlow quiet, and results beside the checkout's others."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("MER_RESULTS", str(Path(__file__).parents[1] / "results"))
    import keras  # noqa: F401 - TensorFlow sets its logger up when it is imported

    # a notebook has many networks, each with a graph of its own: nothing to warn of
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def load(name: str, *overrides: str, rows: Sequence[str] = ()) -> Experiment:
    """Load the quick profile of an experiment, with overrides, and with some of its rows only.

    Raises:
        ConfigError: see ``config.files.load_experiments``.
    """
    config = load_experiments(name, profile="quick", overrides=overrides)[0]
    if not rows:
        return config
    kept = tuple(row for row in config.rows if row.name in rows)
    return config.model_copy(update={"rows": kept})


def claims(config: Experiment) -> Shown:
    """The published table, without a run."""
    whole = load_experiments(config.name)[0]
    return _shown(tables_of(whole, [])[0])


def published(config: Experiment) -> Shown:
    """Confusion matrices that the paper prints of this table."""
    return _drawings([(figure.svg, figure.text) for figure in published_matrices(config)])


def network(name: str, **arguments: Any) -> Shown:
    """The network at the paper's input, drawn, with its parameters."""
    from mer_keras.models import registry
    from mer_keras.models.drawing import draw

    built = registry.build(name, **arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.svg"
        draw(built, file)
        svg = file.read_text(encoding="utf-8")
    text = f"{name}: {built.count_params():,} parameters"
    return _drawings([(svg[svg.index("<svg") :], text)])


def clips(config: Experiment) -> Shown:
    """One drawn clip of each class, as the network is fed with it."""
    from matplotlib.figure import Figure

    from mer_keras.runs.prepare import prepare

    prepared = prepare(config, "synthetic")
    table = prepared.samples.table.drop_duplicates("label")
    first = dict(zip(table["label"], table["sample_id"], strict=True))
    names = [name for name in prepared.classes if name in first]
    arrays = [prepared.clips.select([first[name]])[0] for name in names]
    films = [_stretched(array if array.ndim == 4 else array[None]) for array in arrays]
    count = min(MOST_FRAMES, len(films[0]))
    # one image a class: beside one another; frames: downwards
    shape = (len(films), count) if count > 1 else (1, len(films))
    figure = Figure(figsize=(1.3 * shape[1], 1.45 * shape[0] + 0.4))
    axes = figure.subplots(*shape, squeeze=False)
    for place, name in enumerate(names):
        chosen = np.linspace(0, len(films[place]) - 1, count).round().astype(int)
        for column, frame in enumerate(chosen):
            cell = axes[place, column] if count > 1 else axes[0, place]
            image = films[place][frame]
            picture = image if image.shape[-1] == 3 else image[..., 0]
            cell.imshow(picture, cmap="gray", vmin=0, vmax=1)
            cell.axis("off")
            cell.set_title(f"{name}, frame {frame + 1}" if count > 1 else name, fontsize=7)
    figure.suptitle(WATERMARK, fontsize=7, color="#a00")
    figure.tight_layout()
    return _picture(_png(figure), f"drawn faces: {', '.join(names)}")


def _stretched(film: np.ndarray) -> np.ndarray:
    """Frames over their own range, 0..1."""
    low, high = film.min(), film.max()
    return (film - low) / (high - low) if high > low else np.zeros_like(film)


def run(config: Experiment) -> RunView:
    """Train and test on drawn faces; a run that is there already is only read."""
    from mer_keras.runs.run import run_experiment

    return read_view(run_experiment(config, profile="quick", data="synthetic").path)


def results(config: Experiment, view: RunView) -> Shown:
    """The results of a run, and of each class."""
    tables = [table for table in tables_of(config, [view]) if table.view]
    tables += [table for table in details_of(config, view) if table.title == "Each class"]
    parts = [_shown(table) for table in tables]
    return Shown("".join(p.html for p in parts), "\n\n".join(p.text for p in parts))


def figures(view: RunView, kind: str) -> Shown:
    """Figures of every network of a run; ``kind``: ``confusion``, ``curves`` or ``people``."""
    found = [figure for figure in figures_of(view) if figure.name.endswith(f".{kind}")]
    return _drawings([(figure.svg, figure.text) for figure in found])


def maps(view: RunView, config: Experiment, *, most: int = 2) -> Shown:
    """Where networks look on tested, drawn faces: Grad-CAM, then their own attention.

    Args:
        view: the run.
        config: its experiment.
        most: clips that are shown, of one fold: the network of that fold is trained once more.
    """
    from mer_keras.explanation.tested import explain
    from mer_keras.report.explanation import draw_attention, draw_grad_cam

    tested = view.predictions
    tested = tested[tested["fold"] == tested["fold"].iloc[0]].drop_duplicates("label")
    samples = list(tested["sample_id"])[:most]
    explanation = explain(config, profile="quick", data="synthetic", samples=samples)
    shown = [_picture(draw_grad_cam(explanation), "Grad-CAM over drawn faces")]
    for row in dict.fromkeys(one.row for one in explanation.explained):
        of_row = [one for one in explanation.explained if one.row == row]
        if of_row[0].attention:
            shown.append(_picture(draw_attention(explanation, of_row), f"attention of {row}"))
    return Shown("".join(s.html for s in shown), "; ".join(s.text for s in shown))


def implied(method: str) -> Shown:
    """What the printed numbers of a paper imply, and what they don't."""
    found = findings.audit(method)
    items = "".join(
        f"<li><b>{escape(one.where)}, {escape(one.about)}</b>: {escape(one.says)}. "
        f"<i>{escape(one.limits)}</i></li>"
        for one in found
    )
    text = "\n".join(f"{one.where}, {one.about}: {one.says}. {one.limits}" for one in found)
    return Shown(f"<ul>{items}</ul>", text)


def not_reproduced(config: Experiment) -> Shown:
    """What is not as in the paper."""
    items = "".join(f"<li>{escape(line)}</li>" for line in config.not_reproduced)
    return Shown(f"<ul>{items}</ul>", "\n".join(config.not_reproduced))


def _shown(table: Table) -> Shown:
    mark = f"<p><b>{WATERMARK}</b></p>" if table.data_kind == DataKind.SYNTHETIC else ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    text = "\n".join(" | ".join(row) for row in (table.header, *table.rows))
    return Shown(
        f"{mark}<p>{escape(table.title)}: {escape(table.caption)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><ol>{notes}</ol>",
        f"{WATERMARK}\n{text}" if mark else text,
    )


def _drawings(drawn: Sequence[tuple[str, str]]) -> Shown:
    html = "".join(
        f'<figure role="img" aria-label="{escape(text)}">{svg}'
        f"<figcaption>{escape(text)}</figcaption></figure>"
        for svg, text in drawn
    )
    return Shown(html, "; ".join(text for _, text in drawn))


def _picture(png: bytes, text: str) -> Shown:
    data = base64.b64encode(png).decode()
    return Shown(f'<img alt="{escape(text)}" src="data:image/png;base64,{data}">', text)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    return buffer.getvalue()
