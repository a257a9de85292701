"""Tables, figures and findings -> one offline HTML file, markdown, CSV, LaTeX and JSON."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mer_keras import __version__
from mer_keras.audit import findings, published
from mer_keras.audit.corrections import corrected_lines, corrections_of_table
from mer_keras.audit.finding import Finding
from mer_keras.config.experiment import Experiment
from mer_keras.databases.repeated import without_ids
from mer_keras.names import slug
from mer_keras.report.departures import departures_of
from mer_keras.report.details import details_of
from mer_keras.report.display import LEGEND, page_table
from mer_keras.report.drawn_motion import check_sentences, checked_rows, expected_check
from mer_keras.report.formats import as_csv, as_json, as_latex, render, write_texts
from mer_keras.report.illustrations import (
    Illustration,
    figures_of,
    forest_figure,
    gap_figure,
    published_matrices,
)
from mer_keras.report.optimism import gaps_of
from mer_keras.report.shown_runs import Remark
from mer_keras.report.summary import SummaryLine, summary_line
from mer_keras.report.table import Table
from mer_keras.report.tables import PUBLISHED, tables_of
from mer_keras.report.view import RunView
from mer_keras.terms import DataKind


@dataclass(frozen=True)
class ReportedRun:
    """One run in the report, or, without a run, published numbers alone.

    Attributes:
        table: its results.
        details: tables below the results.
        figures: drawings beside the results.
        forest: the drawing of all methods' results, where there is one.
        is_gap: whether it compares settings of runs that have parts of their own.
    """

    table: Table
    details: tuple[Table, ...] = ()
    figures: tuple[Illustration, ...] = ()
    forest: Illustration | None = None
    is_gap: bool = False

    def of_kinds(self, *kinds: str, quoted: bool = False) -> list[Illustration]:
        """Its drawings of some kinds, of the paper's own methods or of quoted ones."""
        return [f for f in self.figures if f.kind in kinds and f.quoted == quoted]


@dataclass(frozen=True)
class ReportedExperiment:
    """One experiment in the report.

    Attributes:
        config: the experiment.
        parts: its runs.
        matrices: confusion matrices as the paper prints them.
        gaps: comparisons of what chose the epoch and what was tested, each with its figure.
    """

    config: Experiment
    parts: tuple[ReportedRun, ...]
    matrices: tuple[Illustration, ...]
    gaps: tuple[ReportedRun, ...]

    @property
    def departures(self) -> list[str]:
        """What is not as in the paper, a line each."""
        return departures_of(self.config)

    @property
    def summary(self) -> SummaryLine:
        """How the table stands, in one line."""
        return summary_line(self.config, self.views)

    @property
    def views(self) -> list[RunView]:
        """The runs that are shown."""
        return [part.table.view for part in self.parts if part.table.view]

    @property
    def tables(self) -> list[Table]:
        """Every table."""
        parts = (*self.parts, *self.gaps)
        return [table for part in parts for table in (part.table, *part.details)]

    @property
    def figures(self) -> list[Illustration]:
        """Every figure."""
        parts = (*self.parts, *self.gaps)
        forests = [part.forest for part in parts if part.forest]
        drawn = [figure for part in parts for figure in part.figures]
        return [*self.matrices, *forests, *drawn]


def write_report(
    experiments: Sequence[tuple[Experiment, Sequence[RunView]]],
    folder: Path,
    remarks: Sequence[Remark] = (),
) -> list[Path]:
    """Write a report; the same runs give the same files.

    Args:
        experiments: configs with all their runs; the newest of each kind is shown.
        folder: created if absent; files of an earlier report are replaced.
        remarks: runs that are not shown, or not whole.

    Returns:
        Paths of the files: ``report.html``, ``report.md``, ``report.json``, ``tables/*.csv``,
        ``tables/*.tex`` and ``figures/*.svg``. None names a host, a path or a subject.

    Raises:
        ResultsError: a file can't be written; what stood there before still does.
    """
    audited = {paper: findings.audit(paper) for paper in published.papers()}
    sections = [
        _section(config, views, corrections_of_table(config, audited))
        for config, views in experiments
    ]
    findings_of = {paper: audited[paper] for paper in _known_papers(experiments)}
    implied = {published.load(paper).title: of_paper for paper, of_paper in findings_of.items()}
    corrections = [
        line for paper, of_paper in findings_of.items() for line in corrected_lines(paper, of_paper)
    ]
    checks = check_sentences([(part.config, view) for part in sections for view in part.views])
    shown = {
        "sections": sections,
        "checks": checks,
        "implied": implied,
        "corrections": corrections,
        "remarks": remarks,
        "provenance": provenance,
        "version": __version__,
        "anchor": slug,
        "legend": LEGEND,
        "page_table": page_table,
    }
    files = {
        "report.html": render("report.html.j2", **shown),
        "report.md": render("report.md.j2", **shown),
        "report.json": json.dumps(
            _tree(sections, implied, remarks, checks)
            | {"corrections": [asdict(line) for line in corrections]},
            indent=1,
        )
        + "\n",
    }
    for section in sections:
        for table in section.tables:
            files[f"tables/{table.name}.csv"] = as_csv(table)
            files[f"tables/{table.name}.tex"] = as_latex(table)
        files |= {f"figures/{figure.name}.svg": figure.svg for figure in section.figures}
    return write_texts(files, folder)


def _section(
    config: Experiment, views: Sequence[RunView], corrections: Sequence[str]
) -> ReportedExperiment:
    """An experiment's part of the report; ``corrections`` of numbers that its tables show."""
    parts = []
    for table in tables_of(config, views):
        if PUBLISHED in table.header:
            table = replace(table, notes=[*table.notes, *corrections])
        view = table.view
        details, figures = (details_of(config, view), figures_of(view)) if view else ((), ())
        forest = forest_figure(config, table)
        parts.append(ReportedRun(table, tuple(details), tuple(figures), forest))
    gaps = tuple(
        ReportedRun(gap.table, (), (gap_figure(gap),), is_gap=True)
        for gap in gaps_of(config, views)
    )
    return ReportedExperiment(config, tuple(parts), tuple(published_matrices(config)), gaps)


def _known_papers(experiments: Sequence[tuple[Experiment, Sequence[RunView]]]) -> list[str]:
    """Folder names of the papers whose printed numbers are known."""
    papers = dict.fromkeys(
        config.name.partition("/")[0] for config, _ in experiments if config.paper
    )
    return [paper for paper in papers if paper in published.papers()]


def provenance(view: RunView) -> dict[str, str]:
    """Where a run's numbers come from; raw subject ids and clip names are left out."""
    manifest = view.manifest
    keys = ("created", "config_digest", "samples_digest", "folds_digest", "device", "git")
    return {
        "run": view.run_id,
        "data kind": str(view.data_kind),
        **{key.replace("_", " "): manifest[key] for key in keys},
        "backend": manifest["backend"],
        "versions": _listed(manifest["versions"]),
        "computing time": f"{sum(row.seconds for row in view.rows):.0f} s",
        "classes": _listed(manifest["class_counts"]),
        "annotation read from": ", ".join(manifest.get("editions", [])) or "not recorded",
        "clips left out": _excluded(view) or "none",
        "remarks": " · ".join(map(without_ids, manifest["warnings"])) or "none",
    }


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _excluded(view: RunView) -> str:
    """Number of clips left out for each reason."""
    # The text before a colon may name a file, and a file its subject.
    reasons = Counter(item["reason"].rpartition(": ")[2] for item in view.manifest["excluded"])
    return ", ".join(f"{count} ({reason})" for reason, count in sorted(reasons.items()))


def _tree(
    sections: Sequence[ReportedExperiment],
    implied: dict[str, list[Finding]],
    remarks: Sequence[Remark],
    checks: Sequence[str],
) -> dict[str, object]:
    return {
        "pipeline_check": list(checks),
        "experiments": [
            {
                "experiment": section.config.name,
                "summary": asdict(section.summary),
                "tables": [as_json(table) for table in section.tables],
                "not_inherited": list(section.config.not_inherited),
                "runs": [provenance(view) for view in section.views],
                "drawn_motion": _drawn_motion(section),
            }
            for section in sections
        ],
        "not_whole": [{"run": remark.run, "state": remark.state} for remark in remarks],
        "implied": {
            title: [finding.to_json() for finding in of_paper]
            for title, of_paper in implied.items()
        },
    }


def _drawn_motion(section: ReportedExperiment) -> list[dict[str, object]]:
    """Which rows of runs on drawn faces found the motion, and which were to find it."""
    return [
        {
            "run": view.run_id,
            "row": row.name,
            "baseline": row.baseline,
            "drawn motion": str(row.check),
            "expected": expected_check(row, view),
        }
        for view in section.views
        if view.data_kind is DataKind.SYNTHETIC
        for row in checked_rows(section.config, view)
    ]
