"""What papers print and what it is: one table of all corrections that the findings imply."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mer_keras.audit.finding import Correction, Finding
from mer_keras.audit.findings import audit
from mer_keras.audit.published import load, papers
from mer_keras.audit.shared import printed_entries
from mer_keras.config.experiment import Experiment, Published, Row

#: Columns of the table.
HEADER = ("paper", "where", "prints", "is", "evidence", "quoted by")
_PREFACE = """\
# What papers print, and what it is

Each line follows from printed figures or from predictions that authors published; `mer-keras audit`
shows the whole finding, with what does not follow. Written by `mer-keras audit --corrections`.
"""


@dataclass(frozen=True)
class CorrectedLine:
    """One line of the table of corrections.

    Attributes:
        paper: authors of the paper that prints it.
        where: table or section.
        printed: what is printed.
        actual: what it is.
        evidence: how that is known.
        quoted_by: papers and tables that quote the number; ``-`` where none here does.
    """

    paper: str
    where: str
    printed: str
    actual: str
    evidence: str
    quoted_by: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Texts in the order of ``HEADER``."""
        return (
            self.paper,
            self.where,
            self.printed,
            self.actual,
            self.evidence,
            self.quoted_by,
        )


def corrected_lines(paper: str, findings: Iterable[Finding]) -> list[CorrectedLine]:
    """Corrections that the findings about a paper imply.

    Args:
        paper: name of its folder.
        findings: what ``findings.audit`` gives of it.
    """
    authors = load(paper).title.partition(":")[0]
    return [
        CorrectedLine(
            paper=authors,
            where=correction.where,
            printed=correction.printed,
            actual=correction.actual,
            evidence=correction.evidence,
            quoted_by=", ".join(quoting(paper, correction)) or "-",
        )
        for finding in findings
        for correction in finding.corrections
    ]


def all_corrected_lines(names: Iterable[str] = ()) -> list[CorrectedLine]:
    """Corrections of some papers, by their folder names; of all papers if there are none."""
    names = list(names) or list(papers())
    return [line for name in names for line in corrected_lines(name, audit(name))]


def corrections_of_table(
    config: Experiment, findings_of: Mapping[str, Iterable[Finding]]
) -> list[str]:
    """Corrections of numbers that stand in a table, in sentences; none that its numbers explain.

    Args:
        config: the experiment that the table belongs to.
        findings_of: folder name of each known paper -> what ``findings.audit`` gives of it.
    """
    numbers = [(row, number) for row in config.rows for number in row.published if not number.why]
    explained = [n.fraction for row in config.rows for n in row.published if n.why]
    return [
        _sentence(correction, "" if paper == config.name.partition("/")[0] else paper)
        for paper, findings in findings_of.items()
        for finding in findings
        for correction in finding.corrections
        if not any(_is_of(fraction, correction) for fraction in explained)
        if any(_corrects(correction, paper, config, row, number) for row, number in numbers)
    ]


def _sentence(correction: Correction, other_paper: str) -> str:
    """A correction as a note below a table; a paper other than the table's is named."""
    authors = f"{load(other_paper).title.partition(':')[0]}: " if other_paper else ""
    return (
        f"{authors}{correction.where} prints {correction.printed}; it is {correction.actual} "
        f"({correction.evidence})"
    )


def _corrects(
    correction: Correction, paper: str, config: Experiment, row: Row, number: Published
) -> bool:
    """Whether a correction that follows from a paper's figures is of a row's number."""
    if number.metric == "parameters":
        is_own = paper == config.name.partition("/")[0]
        return is_own and f" {int(number.value):,} parameters" in correction.printed
    if correction.experiment:
        is_here = correction.experiment == config.name and correction.method in ("", row.method)
    else:
        is_here = correction.method == row.method
    return is_here and _is_of(number.fraction, correction)


def _is_of(fraction: float, correction: Correction) -> bool:
    """Whether a printed number, in 0..1, is among those that are corrected."""
    return any(abs(fraction - corrected) < 5e-7 for corrected in correction.fractions)


def quoting(paper: str, correction: Correction) -> list[str]:
    """Tables of other papers that quote a corrected number of its method, each once."""
    tables = [
        f"{entry.source}, {entry.where}"
        for entry in printed_entries()
        if entry.paper != paper and entry.source and entry.quoted
        if entry.method == correction.method
        if _is_of(entry.fraction, correction)
    ]
    return list(dict.fromkeys(tables))


def as_markdown(lines: Sequence[CorrectedLine]) -> str:
    """Return the table with its preface, as markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *(line.cells for line in lines)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    return f"{_PREFACE}\n{table}\n"
