"""Every published table on one line: what is printed, and what is stored of our own runs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mer_keras.config.experiment import Experiment, Published, Row
from mer_keras.config.files import default_profile, experiment_names, load_experiments
from mer_keras.errors import ConfigError
from mer_keras.names import slug
from mer_keras.report.formats import markdown_text
from mer_keras.report.table import without_empty_columns
from mer_keras.report.tables import compared_name, published_text
from mer_keras.terms import DAGGER, DOUBLE_DAGGER

_HEADER = ("paper", "table", "command", "published", "ours, %", "data", "protocol", "status")


@dataclass(frozen=True)
class OverviewLine:
    """One published table, by the last row of the paper's own.

    An experiment that reproduces no printed number has a line for each row that was run; one that
    has other papers' methods alone shows its last row. The protocol is that of the profile.
    """

    paper: str
    table: str
    command: str
    published: str
    ours: str
    data: str
    protocol: str
    status: str

    @property
    def experiment(self) -> str:
        """Name of the experiment."""
        return self.command.strip("`").split(" ")[2]

    @property
    def row(self) -> str:
        """Name of the row."""
        return self.table.rpartition(": ")[2]


def overview(stored: Path) -> list[OverviewLine]:
    """Read what is stored of every experiment.

    Args:
        stored: a folder of reports; their ``tables/*.csv`` on real data are read.
    """
    lines = []
    for config in (config for name in experiment_names() for config in load_experiments(name)):
        own = [row for row in config.rows if config.plan_of(row) and not row.quoted]
        printed = [row for row in own if any(n.metric != "parameters" for n in row.published)]
        run = [row for row in own if any(_stored(config, row, stored))]
        shown = printed[-1:] or run or own[-1:] or config.rows[-1:]
        lines += [_line(config, row, stored) for row in shown]
    return lines


def as_markdown(lines: list[OverviewLine]) -> str:
    """Return the lines as a markdown table."""
    header, cells = without_empty_columns(_HEADER, [tuple(vars(line).values()) for line in lines])
    rows = [header, ["---"] * len(header), *cells]
    return "\n".join(f"| {' | '.join(map(markdown_text, row))} |" for row in rows)


def _line(config: Experiment, row: Row, stored: Path) -> OverviewLine:
    paper = config.paper.short if config.paper else "-"
    table = f"{config.table or config.name}: {row.name}"
    command = f"`mer-keras run {config.name}`"
    numbers = [
        number.model_copy(update={"why": ""})
        for number in row.published
        if number.metric != "parameters"
    ]
    pooled = [number for number in numbers if number.database is None]
    published = published_text(pooled or numbers, [])
    record = next(_stored(config, row, stored), None)
    if record is None:
        data = f"needs {', '.join(config.data.databases)}"
        return OverviewLine(paper, table, command, published, "-", data, "-", "not run")
    ours = ", ".join(
        f"{metric} {value}"
        for metric in ("UF1", "UAR")
        for key, value in record.items()
        if key.startswith(f"{metric} %, real")
    )
    status = _stored_verdicts(pooled or numbers, record)
    if record["profile"] != "full":
        status += f"; profile {record['profile']}"
    if record["profile"] != default_profile(config.name):
        command = f"`mer-keras run {config.name} --profile {record['profile']}`"
    protocol, data = _protocol(config.name, record["profile"]), record["data_kind"]
    return OverviewLine(paper, table, command, published, ours, data, protocol, status)


def _protocol(name: str, profile: str) -> str:
    """The protocol of an experiment's profile; ``-`` where there is no such profile any more."""
    try:
        as_run = load_experiments(name, profile=profile)
    except ConfigError:
        return "-"
    return next(config.protocol.title for config in as_run if config.name == name)


def _stored_verdicts(numbers: list[Published], record: dict[str, str]) -> str:
    """Verdicts on a row's printed numbers, out of the stored table.

    A number that was declared otherwise when the table was written was compared with something else
    then. It is judged by the stored interval of its metric, and can't be where none is stored.
    """
    stored = record.get("verdict", "-").strip("'")
    if stored == "-":
        return "run"
    verdicts = dict(text.rsplit(": ", 1) for text in stored.split("; ") if ": " in text)
    judged = "consistent" in stored or "lower" in stored or "higher" in stored
    names = {compared_name(number): number for number in numbers}
    for name, number in names.items():
        if name not in verdicts:
            interval = _stored_interval(number.metric, record) if judged else None
            verdicts[name] = _by_interval(number, interval)
    return "; ".join(f"{name}: {verdicts[name]}" for name in names)


def _by_interval(number: Published, interval: tuple[float, float] | None) -> str:
    """The rule of ``scoring.verdict``, on a stored interval in per cent."""
    if interval is None:
        return "not comparable"
    low, high = interval
    if low <= 100 * number.fraction <= high:
        return "consistent"
    return "lower" if high < 100 * number.fraction else "higher"


def _stored_interval(metric: str, record: dict[str, str]) -> tuple[float, float] | None:
    """Ends of the interval of a metric in a stored table, in per cent; ``None`` without one."""
    cells = (cell for key, cell in record.items() if key.startswith(f"{metric.upper()} %, real"))
    ends = re.search(r"\[([\d.]+), ([\d.]+)\]", next(cells, ""))
    return (float(ends[1]), float(ends[2])) if ends else None


def _stored(config: Experiment, row: Row, stored: Path) -> Iterator[dict[str, str]]:
    """Records of complete stored tables on real data, the fullest profile first."""
    for profile in ("full", "reduced", "quick"):
        for path in sorted(stored.glob(f"*/tables/{slug(config.name)}.{profile}.*.csv")):
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
            uf1 = [column for column in table if column.startswith("UF1 %, real")]
            if uf1:
                names = table["method"].str.split(rf" [{DAGGER}{DOUBLE_DAGGER}]").str[0]
                complete = table[uf1[0]].str.contains("[", regex=False)
                records = table[complete & (names == row.name)].to_dict("records")
                yield from ({**record, "profile": profile} for record in records)
