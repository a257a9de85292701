"""Tables and figures -> one offline HTML file, markdown, CSV and JSON."""

import csv
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_keras import __version__
from mer_keras.config import Experiment
from mer_keras.report.figures import confusion_svg
from mer_keras.report.tables import WATERMARK, Table, tables_of
from mer_keras.report.view import RunView
from mer_keras.results import slug

#: a spreadsheet would run a cell that begins with one of these
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True)
class Figure:
    """An SVG drawing, its description for those who can't see it, and its kind of data."""

    name: str
    svg: str
    text: str
    data_kind: str


@dataclass(frozen=True)
class Section:
    """One experiment in the report."""

    config: Experiment
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...]
    views: tuple[RunView, ...]

    @property
    def real(self) -> list[Table]:
        """Tables of published and real numbers."""
        return [table for table in self.tables if not table.synthetic]

    @property
    def synthetic(self) -> list[Table]:
        """Tables of synthetic numbers, shown apart."""
        return [table for table in self.tables if table.synthetic]


def write_report(
    experiments: Sequence[tuple[Experiment, Sequence[RunView]]], folder: Path
) -> list[Path]:
    """Write a report; the same runs give the same files.

    Args:
        experiments: configs with all their runs; the newest of each kind is shown.
        folder: created if absent; files of an earlier report are replaced.

    Returns:
        The files: ``report.html``, ``report.md``, ``report.json``, ``tables/*.csv``,
        ``figures/*.svg``. None names a host, a path or a subject.
    """
    sections = [_section(config, views) for config, views in experiments]
    files = {
        "report.html": _render("report.html.j2", sections),
        "report.md": _render("report.md.j2", sections),
        "report.json": json.dumps([_as_json(s) for s in sections], indent=1) + "\n",
    }
    for section in sections:
        files |= {f"tables/{table.name}.csv": _csv(table) for table in section.tables}
        files |= {f"figures/{figure.name}.svg": figure.svg for figure in section.figures}
    written = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _section(config: Experiment, views: Sequence[RunView]) -> Section:
    tables = tuple(tables_of(config, views))
    shown = {table.view.run_id: table.view for table in tables if table.view}
    figures = [
        Figure(
            name=f"{view.run_id}.{row.key}",
            svg=confusion_svg(view, row),
            text=f"Confusion matrix of {row.name} on {view.data_kind} data",
            data_kind=str(view.data_kind),
        )
        for view in shown.values()
        for row in view.rows
        if row.kind == "network" and row.complete
    ]
    return Section(config, tables, tuple(figures), tuple(shown.values()))


def provenance(view: RunView) -> dict[str, Any]:
    """Where a run's numbers come from; raw subject ids and clip names are left out."""
    manifest = view.manifest
    keys = ("created", "config_digest", "samples_digest", "folds_digest", "device", "git")
    return {
        "run": view.run_id,
        "data kind": str(view.data_kind),
        **{key.replace("_", " "): manifest[key] for key in keys},
        "backend": manifest["backend"],
        "versions": ", ".join(f"{k} {v}" for k, v in manifest["versions"].items()),
        "computing time": f"{sum(row.seconds for row in view.rows):.0f} s",
        "classes": ", ".join(f"{k} {v}" for k, v in manifest["class_counts"].items()),
        "annotation read from": ", ".join(manifest.get("editions", [])) or "not recorded",
        "clips left out": _excluded(view) or "none",
        "remarks": " · ".join(manifest["warnings"]) or "none",
    }


def _excluded(view: RunView) -> str:
    # the part before a colon may name a file, and a file its subject
    reasons = Counter(item["reason"].rpartition(": ")[2] for item in view.manifest["excluded"])
    return ", ".join(f"{count} ({reason})" for reason, count in sorted(reasons.items()))


def _render(template: str, sections: Sequence[Section]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("mer_keras.report"),
        # clip, class and row names come from users: escaped wherever a browser reads them
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _markdown_cell
    return environment.get_template(template).render(
        sections=sections,
        provenance=provenance,
        watermark=WATERMARK,
        version=__version__,
        anchor=slug,
    )


def _markdown_cell(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("|", "\\|").replace("\n", " ")


def _csv(table: Table) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["data_kind", *map(_plain, table.header)])
    for row in table.rows:
        writer.writerow([table.data_kind, *map(_plain, row)])
    return buffer.getvalue()


def _plain(cell: str) -> str:
    """Make a cell harmless in a spreadsheet."""
    return f"'{cell}" if cell.startswith(_FORMULA) and cell != "-" else cell


def _as_json(section: Section) -> dict[str, Any]:
    return {
        "experiment": section.config.name,
        "tables": [
            {
                "name": table.name,
                "data_kind": table.data_kind,
                "caption": table.caption,
                "header": table.header,
                "rows": table.rows,
                "notes": table.notes,
            }
            for table in section.tables
        ],
        "runs": [provenance(view) for view in section.views],
    }
