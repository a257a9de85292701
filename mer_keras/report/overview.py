"""Every published table on one line: what is printed, and what is stored of our own runs."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mer_keras.config.experiment import Experiment, Row
from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.names import slug
from mer_keras.report.formats import markdown_text
from mer_keras.report.tables import published_text
from mer_keras.terms import DAGGER, DOUBLE_DAGGER

#: Lines of a text between which the table stands.
BEGIN, END = "<!-- overview: begin -->", "<!-- overview: end -->"
_HEADER = ("paper", "table", "command", "published", "ours, %", "data", "status")


@dataclass(frozen=True)
class OverviewLine:
    """One published table, by the last row of the paper's own.

    An experiment that reproduces no printed number has a line for each row that was run.
    """

    paper: str
    table: str
    command: str
    published: str
    ours: str
    data: str
    status: str


def overview(stored: Path) -> list[OverviewLine]:
    """Read what is stored of every experiment.

    Args:
        stored: a folder of reports; their ``tables/*.csv`` on real data are read.
    """
    lines = []
    for name in experiment_names():
        for config in load_experiments(name):
            own = [row for row in config.rows if config.plan_of(row) and not row.quoted]
            printed = [row for row in own if any(n.metric != "parameters" for n in row.published)]
            run = [row for row in own if any(_stored(config, row, stored))]
            chosen = printed[-1:] or run or own[-1:]
            lines += [_line(config, row, stored) for row in chosen]
    return lines


def as_markdown(lines: list[OverviewLine]) -> str:
    """Return the lines as a markdown table."""
    rows = [_HEADER, ["---"] * len(_HEADER), *(vars(line).values() for line in lines)]
    return "\n".join(f"| {' | '.join(map(markdown_text, row))} |" for row in rows)


def put_into(text: str, table: str) -> str:
    """Put the table between the marks of a text."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}"


def _line(config: Experiment, row: Row, stored: Path) -> OverviewLine:
    paper, table = config.paper.short, f"{config.table}: {row.name}"
    command = f"`mer-keras run {config.name}`"
    numbers = [
        number.model_copy(update={"why": ""})
        for number in row.published
        if number.metric != "parameters"
    ]
    pooled = [number for number in numbers if number.database is None]
    published = published_text(pooled or numbers, [])
    for record in _stored(config, row, stored):
        ours = ", ".join(
            f"{metric} {value}"
            for metric in ("UF1", "UAR")
            for key, value in record.items()
            if key.startswith(f"{metric} %, real")
        )
        verdict = record["verdict"].strip("'")
        status = "run" if verdict == "-" else verdict
        if record["profile"] != "full":
            status += f"; profile {record['profile']}"
        return OverviewLine(paper, table, command, published, ours, record["data_kind"], status)
    needed = ", ".join(config.data.databases)
    return OverviewLine(paper, table, command, published, "-", f"needs {needed}", "not run")


def _stored(config: Experiment, row: Row, stored: Path) -> Iterator[dict[str, str]]:
    """Rows of stored tables, full profiles first."""
    for profile in ("full", "quick"):
        for path in sorted(stored.glob(f"*/tables/{slug(config.name)}.{profile}.*.csv")):
            with path.open(encoding="utf-8", newline="") as handle:
                for record in csv.DictReader(handle):
                    name = record.get("method", "").split(f" {DAGGER}")[0]
                    of_row = name.split(f" {DOUBLE_DAGGER}")[0] == row.name
                    uf1 = (v for k, v in record.items() if k and k.startswith("UF1 %, real"))
                    complete = "[" in next(uf1, "")
                    if of_row and "verdict" in record and complete:
                        yield {**record, "profile": profile}
