"""What the printed numbers of a paper imply, and what they don't."""

from mer_keras.audit.finding import Finding
from mer_keras.audit.matrices import matrix_findings
from mer_keras.audit.parameters import parameter_count_finding
from mer_keras.audit.pooled import pooled_accuracy_finding
from mer_keras.audit.published import PublishedPaper, load
from mer_keras.audit.shares import part_accuracy_finding, table_accuracy_findings
from mer_keras.audit.t_tests import t_test_finding


def audit(paper: str) -> list[Finding]:
    """Return all findings about a paper, named as in ``published.load``.

    Raises:
        ConfigError: nothing published is known of it.
    """
    return findings_of(load(paper))


def findings_of(paper: PublishedPaper) -> list[Finding]:
    """Recompute what a paper's numbers imply."""
    return [
        *(finding for matrix in paper.matrices for finding in matrix_findings(matrix)),
        *map(part_accuracy_finding, paper.part_accuracies),
        *(finding for t in paper.table_accuracies for finding in table_accuracy_findings(t)),
        *map(pooled_accuracy_finding, paper.pooled_accuracies),
        *map(t_test_finding, paper.t_tests),
        *map(parameter_count_finding, paper.parameter_counts),
    ]
