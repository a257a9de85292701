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

#: lines between which the table stands in a text
BEGIN, END = "<!-- overview: begin -->", "<!-- overview: end -->"
_HEADER = ("paper", "table", "command", "published", "ours, %", "data", "status")


@dataclass(frozen=True)
class Line:
    """One table, by its last own row; an experiment of no paper has a line a row that was run."""

    paper: str
    table: str
    command: str
    published: str
    ours: str
    data: str
    status: str


def overview(stored: Path) -> list[Line]:
    """Read what is stored of every experiment.

    Args:
        stored: a folder of reports; their ``tables/*.csv`` are read. Synthetic ones are not.
    """
    found = []
    for name in experiment_names():
        for config in load_experiments(name):
            own = [row for row in config.rows if config.plan_of(row) and not row.quoted]
            printed = [row for row in own if any(n.metric != "parameters" for n in row.published)]
            run = [row for row in own if any(_stored(config, row, stored))]
            chosen = printed[-1:] or run or own[-1:]
            found += [_line(config, row, stored) for row in chosen]
    return found


def as_markdown(lines: list[Line]) -> str:
    """The lines as a markdown table."""
    rows = [_HEADER, ["---"] * len(_HEADER), *(vars(line).values() for line in lines)]
    return "\n".join(f"| {' | '.join(map(markdown_text, row))} |" for row in rows)


def put_into(text: str, table: str) -> str:
    """Put the table between the marks of a text."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}"


def _line(config: Experiment, row: Row, stored: Path) -> Line:
    paper, table = config.paper.short, f"{config.table}: {row.name}"
    command = f"`mer-keras run {config.name}`"
    printed = [n for n in row.published if n.metric != "parameters"]
    plain = [n.model_copy(update={"why": ""}) for n in printed]
    published = published_text([n for n in plain if n.database is None] or plain, [])
    for record in _stored(config, row, stored):
        ours = ", ".join(
            f"{metric} {value}"
            for metric in ("UF1", "UAR")
            for key, value in record.items()
            if key.startswith(f"{metric} %, real")
        )
        status = record["verdict"].strip("'")
        status = "run" if status == "-" else status
        profile = record["profile"]
        if profile != "full":
            status = f"{status}; profile {profile}"
        return Line(paper, table, command, published, ours, record["data_kind"], status)
    needed = ", ".join(config.data.databases)
    return Line(paper, table, command, published, "-", f"needs {needed}", "not run")


def _stored(config: Experiment, row: Row, stored: Path) -> Iterator[dict[str, str]]:
    """Rows of stored tables, full profiles first."""
    for profile in ("full", "quick"):
        for file in sorted(stored.glob(f"*/tables/{slug(config.name)}.{profile}.*.csv")):
            with file.open(encoding="utf-8", newline="") as handle:
                for record in csv.DictReader(handle):
                    mine = record.get("method", "").split(" †")[0].split(" ‡")[0] == row.name
                    uf1 = (v for k, v in record.items() if k and k.startswith("UF1 %, real"))
                    complete = "[" in next(uf1, "")
                    if mine and "verdict" in record and complete:
                        yield {**record, "profile": profile}
