"""Pairs of UF1 and UAR: can both be true of the same predictions?"""

from collections.abc import Iterator

from mer_keras.audit.bounds import is_possible, uf1_bounds
from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.published import ScorePairs
from mer_keras.config.experiment import Row
from mer_keras.config.files import load_experiments


def score_pair_findings(pairs: ScorePairs) -> Iterator[Finding]:
    """Tell for each database which quoted pairs no confusion matrix can give."""
    rows = [row for config in load_experiments(pairs.experiment) for row in config.rows]
    decimals = {row.name: _decimals(row) for row in rows}
    for database, class_sizes in pairs.class_sizes.items():
        sizes = tuple(class_sizes.values())
        quoted = {row.name: _pair(row, database) for row in rows}
        tried = {name: pair for name, pair in quoted.items() if pair is not None}
        impossible = {
            name: pair
            for name, pair in tried.items()
            if not is_possible(sizes, *pair, decimals[name])
        }
        sentences, corrections = [], []
        methods = {row.name: row.method or "" for row in rows}
        for name, (uf1, uar) in impossible.items():
            bounds = uf1_bounds(sizes, uar, decimals[name])
            span = f"{bounds.low:.4f} to {bounds.high:.4f}" if bounds else "nothing"
            listed = " / ".join(map(str, sizes))
            sentences.append(
                f"{name}: UAR {uar:.4f} allows a UF1 of {span}, not {uf1:.4f}, for classes of "
                f"{listed} clips{_if_exchanged(sizes, uf1, uar, decimals[name])}"
            )
            corrections.append(
                Correction(
                    where=pairs.where,
                    printed=f"{name}, {database}: UF1 {uf1:.4f} with UAR {uar:.4f}, quoted",
                    actual=f"impossible: this UAR allows a UF1 of {span}",
                    evidence=f"exact bounds over all confusion matrices of {listed} clips",
                    method=methods[name],
                    fractions=(uf1, uar),
                    experiment=pairs.experiment,
                )
            )
        possible = len(tried) - len(impossible)
        sentences.append(f"{possible} of {len(tried)} quoted pairs of UF1 and UAR are possible")
        yield Finding(
            pairs.where,
            f"pairs of UF1 and UAR, {database}",
            "; ".join(sentences),
            "A pair within the bounds is not thereby right. The bounds hold for one set of "
            "predictions, pooled over people: averages over people, copies of clips, or scores of "
            "two different epochs have none.",
            {
                "class sizes": class_sizes,
                "bounds": {
                    name: uf1_bounds(sizes, uar, decimals[name]) for name, (_, uar) in tried.items()
                },
            },
            Kind.POSSIBLE,
            tuple(corrections),
        )


def _if_exchanged(sizes: tuple[int, ...], uf1: float, uar: float, decimals: int) -> str:
    """A remark where the pair would be possible with the two columns exchanged."""
    return ", but possible if the two are exchanged" * is_possible(sizes, uar, uf1, decimals)


def _decimals(row: Row) -> int:
    """Most digits after the point that any score of a row has: so many are printed."""
    return max(
        (len(str(number.value).partition(".")[2]) for number in row.published if number.quoted),
        default=0,
    )


def _pair(row: Row, database: str) -> tuple[float, float] | None:
    """UF1 and UAR that are quoted of one database; ``None`` where one of them is missing."""
    values = {
        number.metric: number.fraction
        for number in row.published
        if number.quoted and number.database == database
    }
    if "uf1" not in values or "uar" not in values:
        return None
    return values["uf1"], values["uar"]
