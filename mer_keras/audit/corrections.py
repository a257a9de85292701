"""What papers print and what it is: one table of all corrections that the findings imply."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mer_keras.audit.finding import Correction
from mer_keras.audit.findings import audit
from mer_keras.audit.published import load, papers
from mer_keras.config.files import experiment_names, load_experiments

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


def corrected_lines(names: Sequence[str] | None = None) -> list[CorrectedLine]:
    """Every correction of some papers, by their folder names; of all papers if ``None``."""
    return [
        CorrectedLine(
            paper=load(paper).title.partition(":")[0],
            where=correction.where,
            printed=correction.printed,
            actual=correction.actual,
            evidence=correction.evidence,
            quoted_by=", ".join(quoting(paper, correction)) or "-",
        )
        for paper in (papers() if names is None else names)
        for finding in audit(paper)
        for correction in finding.corrections
    ]


def quoting(paper: str, correction: Correction) -> list[str]:
    """Tables of other papers that quote a corrected number of its method."""
    if not correction.method:
        return []
    return list(dict.fromkeys(_quotations(paper, correction)))


def as_markdown(lines: Sequence[CorrectedLine]) -> str:
    """Return the table with its preface, as markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *(line.cells for line in lines)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    return f"{_PREFACE}\n{table}\n"


def _quotations(paper: str, correction: Correction) -> Iterator[str]:
    """Papers and tables in which other papers quote the number, also more than once."""
    names = (name for name in experiment_names() if name.partition("/")[0] != paper)
    for config in (config for name in names for config in load_experiments(name)):
        for row in config.rows:
            for number in row.published:
                is_equal = any(abs(number.fraction - f) < 5e-7 for f in correction.fractions)
                is_quoted = row.method == correction.method and number.quoted and is_equal
                if is_quoted and config.paper:
                    yield f"{config.paper.short}, {number.where or config.table}"
