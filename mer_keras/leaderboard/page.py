"""Tables, figures and provenance -> one offline page, markdown, CSV, SVG and JSON."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mer_keras import __version__
from mer_keras.evaluation.power import STUDIES
from mer_keras.leaderboard.boards import boards
from mer_keras.leaderboard.digests import content_digest
from mer_keras.leaderboard.figures import arrows_svg, arrows_text, curves_svg, drawn_standings
from mer_keras.leaderboard.lines import (
    PARTS,
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
from mer_keras.report import table as text_table
from mer_keras.report.formats import as_csv, as_json, render, write_texts

#: Version of the form of the page's CSV and JSON; a column that changes its meaning raises it.
SCHEMA_VERSION = 2
_SCRIPT = "sortable.js"
#: Column that names the runs of a row.
_SOURCE = "stored in"
#: Parts of the names of drawings: of all methods, and of one method's epochs.
_CLAIMED, _EPOCHS = "claimed", "epochs"


@dataclass(frozen=True)
class Figure:
    """One drawing.

    Attributes:
        name: names its file.
        text: what it shows, for those who can't see it.
        svg: the drawing as SVG text.
        is_main: whether it shows all methods; such a drawing stands above the table.
    """

    name: str
    text: str
    svg: str
    is_main: bool = False


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
        sentence: what came out, for the top of the page.
    """

    anchor: str
    scores: text_table.Table
    details: tuple[text_table.Table, ...]
    figures: tuple[Figure, ...]
    sources: Mapping[str, Mapping[str, str]]
    sentence: str = ""

    def page_table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Heads and rows of ``scores`` for the page: where all are of one run, no row names it."""
        header, rows = self.scores.header, self.scores.rows
        shown = [n for n, head in enumerate(header) if head != _SOURCE or len(self.sources) > 1]
        return tuple(header[n] for n in shown), [tuple(row[n] for n in shown) for row in rows]


def write_page(tables: Sequence[Table], folder: Path, *, studies: int | None = None) -> list[Path]:
    """Write the page; the same contributions give the same files.

    Args:
        tables: what ``standings.tables_of`` returned.
        folder: created if absent; an earlier page is replaced, tables and figures that this one
            lacks included.
        studies: simulated studies for each power; ``power.STUDIES`` if ``None``.

    Returns:
        Paths of ``leaderboard.html``, ``.md`` and ``.json``, ``tables/*.csv`` and
        ``figures/*.svg``. None names a path, a person or a host.

    Raises:
        ResultsError: a file can't be written; what stood there before still does.
    """
    files = page_files([_section(table, studies or STUDIES) for table in tables])
    paths = write_texts(files, folder)
    for path in _files_of_boards(folder):
        if path not in paths:  # An earlier page had a table or a figure that this one lacks.
            with suppress(OSError):
                path.unlink()
    return paths


def _files_of_boards(folder: Path) -> list[Path]:
    """Tables and figures of pages in a folder: their names begin with that of a board."""
    files = [f"tables/*.{part}.csv" for part in PARTS]
    files += [f"figures/*.{_CLAIMED}.svg", f"figures/*.{_EPOCHS}-*.svg"]
    return [
        path
        for board in boards()
        for pattern in files
        for path in folder.glob(pattern.replace("*", f"{slug(board)}.*", 1))
    ]


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
    figures = []
    if drawn_standings(table):
        drawn, words = arrows_svg(table, scores.title), arrows_text(table)
        figures.append(Figure(file_name(table, _CLAIMED), words, drawn, is_main=True))
    slugs = Counter(slug(standing.name) for standing in table.standings)
    figures += [
        Figure(
            file_name(table, f"{_EPOCHS}-{_unique_slug(standing.name, slugs)}"),
            f"{standing.name}: UF1 had training ended after so many epochs, under each rule",
            curves_svg(standing, table.protocol),
        )
        for standing in table.standings
        if standing.arm.has_curves
    ]
    return Section(
        anchor=slug(f"{table.board} {table.protocol}"),
        scores=scores,
        details=tuple(detail for detail in details if detail is not None),
        figures=tuple(figures),
        sources={entry.source: provenance(entry) for entry in table.entries},
        sentence=_sentence(table),
    )


def _unique_slug(name: str, slugs: Mapping[str, int]) -> str:
    """The slug of a name, which is cut off; with a digest of the name where others have it, too."""
    return f"{slug(name)}-{content_digest(name)[:6]}" if slugs[slug(name)] > 1 else slug(name)


def _sentence(table: Table) -> str:
    """The best score by the last epoch, in one sentence; empty where nothing was run so."""
    best = next((standing for standing in table.standings if standing.honest), None)
    if best is None:
        return ""
    uf1 = best.honest["uf1"]
    interval = f"[{100 * uf1.low:.1f}, {100 * uf1.high:.1f}]"
    value = f"UF1 {100 * uf1.pooled:.1f} % {interval}"
    return f"Best by the last epoch, or without epochs: {best.name}, {value}."


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
