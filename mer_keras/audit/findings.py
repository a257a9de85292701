"""What the printed numbers of a paper imply, and what they don't."""

from itertools import product

from mer_keras.audit.finding import Finding
from mer_keras.audit.fractions import counts_of, rounds_to
from mer_keras.audit.matrices import of_matrix
from mer_keras.audit.published import Parameters, PublishedPaper, Sum, load
from mer_keras.audit.shares import of_accuracies, of_share
from mer_keras.audit.t_tests import of_t_tests
from mer_keras.models.registry import get_spec

#: a paper's number of clips of a database may differ so much from the database's own
NEAR = 4


def audit(method: str) -> list[Finding]:
    """Return all findings about a paper.

    Raises:
        ConfigError: nothing published is known of it.
    """
    return findings_of(load(method))


def findings_of(paper: PublishedPaper) -> list[Finding]:
    """Recompute what a paper's numbers imply."""
    found: list[Finding] = []
    for matrix in paper.matrices:
        found += of_matrix(matrix)
    found += [of_share(share) for share in paper.shares]
    for table in paper.accuracies:
        found += of_accuracies(table)
    found += [_of_sum(total) for total in paper.sums]
    found += [of_t_tests(tests) for tests in paper.t_tests]
    found += [_of_parameters(count) for count in paper.parameters]
    return found


def sums_that_fit(total: Sum) -> list[dict[str, tuple[int, int]]]:
    """Every way in which the databases' counts add up to the whole's, (right, clips) each."""
    options = []
    for name, figure in total.parts.items():
        about = total.about[name]
        options.append(
            [
                (k, n)
                for n in range(about - NEAR, about + NEAR + 1)
                for k in counts_of(n, figure.value, figure.decimals, scale=figure.scale)
            ]
        )
    found = []
    for way in product(*options):
        right, clips = (sum(pair[i] for pair in way) for i in (0, 1))
        whole = total.whole
        if clips == total.clips and rounds_to(
            right, clips, whole.value, whole.decimals, scale=whole.scale
        ):
            found.append(dict(zip(total.parts, way, strict=True)))
    return found


def _of_sum(total: Sum) -> Finding:
    ways = sums_that_fit(total)
    numbers = {
        "ways": [{name: f"{k}/{n}" for name, (k, n) in way.items()} for way in ways],
        "about": dict(total.about),
    }
    about = f"{total.whole.name} of the databases and of all"
    if not ways:
        says = f"no counts of {total.clips} clips give the printed figures together"
        return Finding(total.where, about, says, "", numbers)
    way = ways[0]
    right = sum(k for k, _ in way.values())
    listed = ", ".join(f"{name} {k}/{n}" for name, (k, n) in way.items())
    says = f"{total.whole.value:g} is {right}/{total.clips}: {listed}; they add up"
    others = sorted(name for name, (_, n) in way.items() if n != total.about[name])
    if others:
        differing = ", ".join(f"{name} {way[name][1]} for {total.about[name]}" for name in others)
        says += f". The databases have other numbers of clips of these classes: {differing}"
    limits = "" if len(ways) == 1 else f"{len(ways)} such sets of counts fit."
    return Finding(total.where, about, says, limits, numbers)


def _of_parameters(count: Parameters) -> Finding:
    spec = get_spec(count.model)
    classes, built = spec.classes, spec.trainable_parameters
    body = built - count.per_class * classes
    extra, rest = divmod(count.published - body, count.per_class)
    numbers = {"built": built, "published": count.published, "per class": count.per_class}
    about = f"{count.of}: parameters"
    if rest == 0 and extra > 0:
        heads = "" if extra == classes else f", not {classes}"
        says = f"{count.published:,} is exactly the network with a head of {extra} classes{heads}"
        if extra != classes:
            says += f", with which it has {built:,}"
        return Finding(count.where, about, says, "", {**numbers, "classes": extra})
    says = f"{count.published:,} is not reached by any number of classes; built: {built:,}"
    return Finding(count.where, about, says, "", numbers)
