"""Label schemes: which raw emotion counts as which class, and which clips a paper leaves out."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

import pandas as pd
from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel
from mer_keras.config.yaml_text import Tree, read_yaml
from mer_keras.databases.samples import Excluded, Samples, is_empty, validate
from mer_keras.errors import AnnotationError, InvariantError, did_you_mean
from mer_keras.terms import UNLABELLED

#: Columns that a scheme may take its classes from: how messages name them.
_COLUMN_TITLES = {
    "emotion": "emotion",
    "objective_class": "objective class",
    "self_report": "self-report",
    "stimulus_emotion": "emotion of the film",
}
#: Name of each emotion -> how releases spell it otherwise.
_NAMES: dict[str, list[str]] = read_yaml(Path(__file__).with_name("emotion_names.yaml"))
#: Spelling in some release -> the one name of the emotion.
_SPELLINGS = {spelling: name for name, spellings in _NAMES.items() for spelling in spellings}


class LabelScheme(StrictModel):
    """Raw emotions -> the classes of a paper's table.

    A file may leave ``mapping`` out: ``classes`` then either are emotions themselves, or give each
    class the emotions that count as it.

    Attributes:
        name: what configs call it (see ``label_schemes.get_scheme``).
        title: for tables and figures.
        source: the paper that divides the clips in this way.
        classes: in the paper's order, which is the order of class numbers.
        mapping: emotion -> class.
        leaves_out: emotions whose clips are not used.
        counts: clips a class, as published.
        database_counts: the same for each database, where the scheme is for several.
        clips: clips in all, where the paper tells this number and not those of the classes.
        column: column of the samples table whose values the mapping's keys are.
        min_frames: clips of fewer frames from onset to offset are left out.
    """

    name: str
    title: str
    source: str
    classes: tuple[str, ...]
    mapping: dict[str, str]
    leaves_out: frozenset[str] = frozenset()
    counts: dict[str, int] | None = None
    database_counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    clips: int | None = None
    column: Literal["emotion", "objective_class", "self_report", "stimulus_emotion"] = "emotion"
    min_frames: int = 0

    @model_validator(mode="before")
    @classmethod
    def _map_emotions(cls, tree: Tree) -> Tree:
        """Fill ``mapping`` from ``classes`` where it isn't given."""
        classes = tree.get("classes")
        if "mapping" in tree or not isinstance(classes, list | tuple | dict):
            return tree
        emotions = classes if isinstance(classes, dict) else {name: [name] for name in classes}
        pairs = [(emotion, name) for name, members in emotions.items() for emotion in members]
        if len(dict(pairs)) != len(pairs):
            raise InvariantError(f"label scheme {tree.get('name')}: an emotion in two classes")
        return {**tree, "classes": tuple(emotions), "mapping": dict(pairs)}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if set(self.mapping.values()) != set(self.classes):
            raise InvariantError(f"label scheme {self.name}: mapping and classes differ")
        if self.leaves_out & set(self.mapping):
            raise InvariantError(f"label scheme {self.name}: an emotion is mapped and left out")
        printed = [*self.database_counts.values(), *([self.counts] if self.counts else [])]
        if any(set(counts) != set(self.classes) for counts in printed):
            raise InvariantError(f"label scheme {self.name}: counts and classes differ")
        return self


def plain_emotion(raw: str) -> str:
    """Return the English name that the suite uses for an emotion, whatever a release calls it."""
    name = raw.strip().lower()
    return _SPELLINGS.get(name, name)


def known_emotions() -> frozenset[str]:
    """Return the names of all emotions that some database or paper has."""
    return frozenset(_NAMES)


def apply_scheme(samples: Samples, scheme: LabelScheme) -> Samples:
    """Fill ``label`` from ``emotion``.

    Clips whose emotion the scheme leaves out go to ``excluded``, each with the reason, and so do
    those without a label. Class counts that differ from the published ones are reported as a
    warning and left as they are.

    Args:
        samples: a reader's samples.
        scheme: what counts as which class.

    Raises:
        AnnotationError: an emotion is neither mapped nor left out, or no clip is left.
    """
    values = _values(samples, scheme)
    known = {*scheme.mapping, *scheme.leaves_out}
    unlabelled = values == UNLABELLED
    unknown = ~(values.isin(known) | unlabelled)
    if unknown.any():
        row = samples.table[unknown].iloc[0]
        value = str(values[unknown].iloc[0])
        raise AnnotationError(
            f"clip {row['sample_id']!r}: {_COLUMN_TITLES[scheme.column]} {value[:60]!r}"
            f"{did_you_mean(value, known)} is not known to label scheme {scheme.name!r} "
            f"({int(unknown.sum())} such clip(s)): expected one of {', '.join(sorted(known))}; "
            "correct the annotation table or choose another scheme"
        )
    left_out = values.isin(scheme.leaves_out) | unlabelled
    frames = samples.table["offset"] - samples.table["onset"] + 1
    short = (frames < scheme.min_frames).fillna(False).astype(bool) & ~left_out
    excluded = [
        Excluded(
            row.database,
            row.clip,
            "no emotion label"
            if unlabelled[row.Index]
            else f"{_COLUMN_TITLES[scheme.column]} {values[row.Index]!r} is left out of "
            f"{scheme.name}",
        )
        for row in samples.table[left_out].itertuples()
    ]
    excluded += [
        Excluded(row.database, row.clip, f"fewer than {scheme.min_frames} frames")
        for row in samples.table[short].itertuples()
    ]
    used = ~(left_out | short)
    table = samples.table[used].copy()
    if table.empty:
        raise AnnotationError(
            f"label scheme {scheme.name!r} leaves out all {len(samples.table)} clips: "
            "expected a scheme for this database"
        )
    table["label"] = values[used].map(scheme.mapping)
    table = table.reset_index(drop=True)
    validate(table, f"label scheme {scheme.name}")
    labelled = replace(samples, table=table, excluded=(*samples.excluded, *excluded))
    warnings = [*samples.warnings, *_count_warnings(labelled, scheme)]
    if unlabelled.any():
        warnings.append(f"{int(unlabelled.sum())} clip(s) without a label are left out")
    return replace(labelled, warnings=tuple(warnings))


def _values(samples: Samples, scheme: LabelScheme) -> pd.Series:
    """Return the values that the scheme maps, one text a clip."""
    column = samples.table[scheme.column]
    if scheme.column == "emotion":
        return column.map(plain_emotion)
    missing = is_empty(column)
    if missing.any():
        row = samples.table[missing].iloc[0]
        title = _COLUMN_TITLES[scheme.column]
        raise AnnotationError(
            f"clip {row['sample_id']!r} has no {title} ({int(missing.sum())} such clip(s)), which "
            f"label scheme {scheme.name!r} takes its classes from: expected a release with a "
            f"column or a table of them; mer-keras data howto {row['database']}"
        )
    if scheme.column == "objective_class":
        return column.astype(int).astype(str)
    return column.map(plain_emotion)


def _count_warnings(samples: Samples, scheme: LabelScheme) -> list[str]:
    """Return a line for each table whose counts of clips differ from the published ones."""
    tables = dict(list(samples.table.groupby("database")))
    pairs = [
        (f"{scheme.name}, {database}", tables[database], counts)
        for database, counts in scheme.database_counts.items()
        if database in tables
    ]
    if scheme.counts is not None:
        pairs.append((scheme.name, samples.table, scheme.counts))
    lines = []
    for title, table, printed in pairs:
        counts = Counter(table["label"])
        differing = [
            f"{name} {counts[name]} (published: {printed[name]})"
            for name in scheme.classes
            if counts[name] != printed[name]
        ]
        if differing:
            differences = ", ".join(differing)
            lines.append(f"{title}: clips a class differ from the published ones: {differences}")
    if scheme.clips not in (None, len(samples.table)):
        lines.append(f"{scheme.name}: {len(samples.table)} clips (published: {scheme.clips})")
    return lines
