"""What papers print and what it is: one table of all corrections that the findings imply."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mer_keras.audit.finding import Correction, Finding
from mer_keras.audit.findings import audit
from mer_keras.audit.published import load, papers
from mer_keras.audit.shared import printed_entries

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


def quoting(paper: str, correction: Correction) -> list[str]:
    """Tables of other papers that quote a corrected number of its method, each once."""
    tables = [
        f"{entry.source}, {entry.where}"
        for entry in printed_entries()
        if entry.paper != paper and entry.source and entry.quoted
        if entry.method == correction.method
        if any(abs(entry.fraction - fraction) < 5e-7 for fraction in correction.fractions)
    ]
    return list(dict.fromkeys(tables))


def as_markdown(lines: Sequence[CorrectedLine]) -> str:
    """Return the table with its preface, as markdown."""
    rows = [HEADER, ("---",) * len(HEADER), *(line.cells for line in lines)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows)
    return f"{_PREFACE}\n{table}\n"
