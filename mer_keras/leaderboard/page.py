"""Tables, figures and provenance -> one offline page, markdown, CSV, SVG and JSON."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mer_keras import __version__
from mer_keras.evaluation.power import STUDIES
from mer_keras.leaderboard.figures import arrows_svg, curves_svg, has_curves
from mer_keras.leaderboard.lines import (
    claims_table,
    file_name,
    guesses_table,
    main_table,
    methods_table,
    pairs_table,
    power_table,
    provenance,
)
from mer_keras.leaderboard.standings import Table
from mer_keras.names import slug
from mer_keras.report import tables as report_tables
from mer_keras.report.formats import as_csv, as_json, render, write_texts

#: Version of the form of the page's CSV and JSON; a column that changes its meaning raises it.
SCHEMA_VERSION = 1
_SCRIPT = "sortable.js"


@dataclass(frozen=True)
class Figure:
    """One drawing: the name of its file, what it shows, and its text."""

    name: str
    text: str
    svg: str


@dataclass(frozen=True)
class Section:
    """One set under one protocol, as it is shown.

    Attributes:
        anchor: names it in links.
        scores: the table of all methods.
        details: what guessing gives, the power of the comparison, claims, what the methods are, the
            differences of all pairs.
        figures: drawings beside it.
        sources: run -> where its numbers come from.
    """

    anchor: str
    scores: report_tables.Table
    details: tuple[report_tables.Table, ...]
    figures: tuple[Figure, ...]
    sources: Mapping[str, Mapping[str, str]]


def write_page(tables: Sequence[Table], folder: Path, *, studies: int | None = None) -> list[Path]:
    """Write the page; the same contributions give the same files.

    Args:
        tables: what ``standings.tables_of`` returned.
        folder: created if absent; files of an earlier page are replaced.
        studies: simulated studies for each power; ``power.STUDIES`` if ``None``.

    Returns:
        Paths of ``leaderboard.html``, ``.md`` and ``.json``, ``tables/*.csv`` and
        ``figures/*.svg``. None names a path, a person or a host.

    Raises:
        ResultsError: a file can't be written; what stood there before still does.
    """
    sections = [_section(table, studies or STUDIES) for table in tables]
    return write_texts(page_files(sections), folder)


def page_files(sections: Sequence[Section]) -> dict[str, str]:
    """Files of the page: name within the folder -> text."""
    # The browser runs this script alone: the page's policy names its digest.
    script = (resources.files("mer_keras.report") / "templates" / _SCRIPT).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    shown = {"sections": sections, "version": __version__, "schema_version": SCHEMA_VERSION}
    files = {
        "leaderboard.html": render(
            "leaderboard.html.j2", script=script, script_digest=digest, **shown
        ),
        "leaderboard.md": render("leaderboard.md.j2", **shown),
        "leaderboard.json": json.dumps(_tree(sections), indent=1) + "\n",
    }
    for section in sections:
        for table in (section.scores, *section.details):
            files[f"tables/{table.name}.csv"] = as_csv(table)
        files |= {f"figures/{figure.name}.svg": figure.svg + "\n" for figure in section.figures}
    return files


def _section(table: Table, studies: int) -> Section:
    scores = main_table(table)
    details = [
        guesses_table(table),
        power_table(table, studies),
        claims_table(table),
        methods_table(table),
        pairs_table(table),
    ]
    figures = [
        Figure(
            file_name(table, "claimed"),
            "An arrow leads from what is claimed of a method to its honest UF1",
            arrows_svg(table, scores.title),
        )
    ]
    figures += [
        Figure(
            file_name(table, f"epochs-{slug(standing.name)}"),
            f"{standing.name}: UF1 had training ended after so many epochs, under each rule",
            curves_svg(standing, table.protocol),
        )
        for standing in table.standings
        if has_curves(standing)
    ]
    return Section(
        anchor=slug(f"{table.board} {table.protocol}"),
        scores=scores,
        details=tuple(detail for detail in details if detail is not None),
        figures=tuple(figures),
        sources={entry.source: provenance(entry) for entry in table.entries},
    )


def _tree(sections: Sequence[Section]) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "package": __version__,
        "tables": [
            {
                "scores": as_json(section.scores),
                "details": [as_json(detail) for detail in section.details],
                "sources": {name: dict(facts) for name, facts in section.sources.items()},
            }
            for section in sections
        ],
    }
