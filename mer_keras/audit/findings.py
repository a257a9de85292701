"""What the printed numbers of a paper imply, and what they don't."""

from collections.abc import Iterator

from mer_keras.audit.arithmetic import difference_findings
from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.known_networks import rounded_count_finding
from mer_keras.audit.matrices import counted_matrix_findings, matrix_findings
from mer_keras.audit.pairs import score_pair_findings
from mer_keras.audit.parameters import parameter_count_finding
from mer_keras.audit.pooled import pooled_accuracy_finding
from mer_keras.audit.published import PublishedPaper, Reading, load
from mer_keras.audit.shared import shared_figure_findings
from mer_keras.audit.shares import (
    common_part_findings,
    part_accuracy_finding,
    table_accuracy_findings,
)
from mer_keras.audit.subsets import subset_finding
from mer_keras.audit.t_tests import t_test_finding


def audit(paper: str) -> list[Finding]:
    """Return all findings about a paper, named as in ``published.load``.

    Raises:
        ConfigError: nothing published is known of it.
    """
    return [*findings_of(load(paper), paper), *shared_figure_findings(paper)]


def findings_of(printed: PublishedPaper, paper: str = "") -> list[Finding]:
    """Recompute what a paper's own numbers imply; ``paper``: name of its folder, if it has one."""
    return [
        *(finding for matrix in printed.matrices for finding in matrix_findings(matrix)),
        *(f for matrix in printed.counted_matrices for f in counted_matrix_findings(matrix)),
        *map(part_accuracy_finding, printed.part_accuracies),
        *common_part_findings(printed.part_accuracies),
        *(finding for t in printed.table_accuracies for finding in table_accuracy_findings(t)),
        *map(subset_finding, printed.quoted_accuracies),
        *(finding for pairs in printed.score_pairs for finding in score_pair_findings(pairs)),
        *map(pooled_accuracy_finding, printed.pooled_accuracies),
        *map(t_test_finding, printed.t_tests),
        *difference_findings(paper, printed.differences),
        *map(parameter_count_finding, printed.parameter_counts),
        *map(rounded_count_finding, printed.rounded_counts),
        *_reading_findings(printed.readings),
    ]


def _reading_findings(readings: tuple[Reading, ...]) -> Iterator[Finding]:
    """Statements that another place contradicts, as they are declared."""
    for reading in readings:
        says = f"{reading.printed}; it is {reading.actual} ({reading.evidence})"
        correction = Correction(reading.where, reading.printed, reading.actual, reading.evidence)
        yield Finding(reading.where, reading.about, says, "", {}, Kind.READING, (correction,))
