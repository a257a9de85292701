"""Label schemes: which raw emotion counts as which class, and which clips a paper leaves out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mer_keras.annotations.samples import Excluded, Samples, validate
from mer_keras.errors import AnnotationError, InvariantError, UserError, did_you_mean

#: Spellings of one emotion in different releases.
_SPELLINGS = {"others": "other"}


@dataclass(frozen=True)
class LabelScheme:
    """Raw emotions -> the classes of a paper's table.

    Attributes:
        name: key in ``SCHEMES``.
        title: for tables and figures.
        classes: in the paper's order, which is the order of class numbers.
        mapping: emotion -> class.
        leaves_out: emotions whose clips are not used.
        source: the paper that divides the clips in this way.
        counts: clips a class, as published.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    mapping: Mapping[str, str]
    source: str
    leaves_out: frozenset[str] = frozenset()
    counts: Mapping[str, int] | None = field(default=None)

    def __post_init__(self) -> None:
        if set(self.mapping.values()) != set(self.classes):
            raise InvariantError(f"label scheme {self.name}: mapping and classes differ")
        if self.leaves_out & set(self.mapping):
            raise InvariantError(f"label scheme {self.name}: an emotion is mapped and left out")
        if self.counts is not None and set(self.counts) != set(self.classes):
            raise InvariantError(f"label scheme {self.name}: counts and classes differ")


def get_scheme(name: str) -> LabelScheme:
    """Return a label scheme by name.

    Raises:
        UserError: there is none of this name.
    """
    if name not in SCHEMES:
        raise UserError(
            f"no label scheme {name!r}{did_you_mean(name, SCHEMES)}: there are {', '.join(SCHEMES)}"
        )
    return SCHEMES[name]


def apply_scheme(samples: Samples, scheme: LabelScheme) -> Samples:
    """Fill ``label`` from ``emotion``.

    Clips whose emotion the scheme leaves out go to ``excluded``, each with the reason. Class counts
    that differ from the published ones are reported as a warning and left as they are.

    Args:
        samples: a reader's samples.
        scheme: what counts as which class.

    Raises:
        AnnotationError: an emotion is neither mapped nor left out, or no clip is left.
    """
    emotions = samples.table["emotion"].map(lambda emotion: _SPELLINGS.get(emotion, emotion))
    known = {*scheme.mapping, *scheme.leaves_out}
    unknown = ~emotions.isin(known)
    if unknown.any():
        row = samples.table[unknown].iloc[0]
        emotion = str(row["emotion"])
        raise AnnotationError(
            f"clip {row['sample_id']!r}: emotion {emotion[:60]!r}{did_you_mean(emotion, known)} is "
            f"not known to label scheme {scheme.name!r} ({int(unknown.sum())} such clip(s)): "
            f"expected one of {', '.join(sorted(known))}; correct the annotation table or choose "
            "another scheme"
        )
    left_out = emotions.isin(scheme.leaves_out)
    excluded = tuple(
        Excluded(row.database, row.clip, f"emotion {row.emotion!r} is left out of {scheme.name}")
        for row in samples.table[left_out].itertuples()
    )
    table = samples.table[~left_out].copy()
    if table.empty:
        raise AnnotationError(
            f"label scheme {scheme.name!r} leaves out all {len(samples.table)} clips: "
            "expected a scheme for this database"
        )
    table["label"] = emotions[~left_out].map(dict(scheme.mapping))
    table = table.reset_index(drop=True)
    validate(table, f"label scheme {scheme.name}")
    labelled = Samples(table, samples.excluded + excluded)
    return Samples(
        table, labelled.excluded, (*samples.warnings, *_count_warnings(labelled, scheme))
    )


def _count_warnings(samples: Samples, scheme: LabelScheme) -> list[str]:
    if scheme.counts is None:
        return []
    found = samples.class_counts()
    differing = [
        f"{name} {found.get(name, 0)} (published: {scheme.counts[name]})"
        for name in scheme.classes
        if found.get(name, 0) != scheme.counts[name]
    ]
    if not differing:
        return []
    return [f"{scheme.name}: clips a class differ from the published ones: {', '.join(differing)}"]


def _same(*classes: str) -> dict[str, str]:
    return {name: name for name in classes}


_SHUKLA = "Shukla, Rai, Verlekar: shallow ConvLSTM-based network, ACCV 2022 workshops"
_NEGATIVE = ("anger", "contempt", "disgust", "fear", "sadness")
_SAMM5 = ("happiness", "other", "anger", "contempt", "surprise")
_SAMM7 = ("happiness", "anger", "contempt", "disgust", "fear", "sadness", "surprise")
_MMEW5 = ("happiness", "surprise", "disgust", "fear", "sadness")
_MEGC3 = ("negative", "positive", "surprise")

_ALL = (
    LabelScheme(
        name="samm3",
        title="SAMM, 3 classes",
        classes=("positive", "negative", "surprise"),
        mapping={
            "happiness": "positive",
            **dict.fromkeys(_NEGATIVE, "negative"),
            "surprise": "surprise",
        },
        leaves_out=frozenset({"other"}),
        source=_SHUKLA,
        counts={"positive": 26, "negative": 92, "surprise": 15},
    ),
    LabelScheme(
        name="samm5",
        title="SAMM, 5 classes",
        classes=_SAMM5,
        mapping=_same(*_SAMM5),
        leaves_out=frozenset({"disgust", "fear", "sadness"}),
        source=_SHUKLA,
        counts=dict(zip(_SAMM5, (26, 26, 57, 12, 15), strict=True)),
    ),
    LabelScheme(
        name="samm7",
        title="SAMM, 7 classes",
        classes=_SAMM7,
        mapping=_same(*_SAMM7),
        leaves_out=frozenset({"other"}),
        source=_SHUKLA,
        counts=dict(zip(_SAMM7, (26, 57, 12, 9, 8, 6, 15), strict=True)),
    ),
    LabelScheme(
        name="mmew5",
        title="MMEW, 5 classes",
        classes=_MMEW5,
        mapping=_same(*_MMEW5),
        leaves_out=frozenset({"anger", "other", "repression"}),
        source="Upadhya, Verlekar: shallow convolution and attention-based models, ESANN 2025",
        counts=dict(zip(_MMEW5, (36, 89, 72, 16, 13), strict=True)),
    ),
    LabelScheme(
        name="megc3",
        title="MEGC 2019 composite, 3 classes",
        classes=_MEGC3,
        mapping=_same(*_MEGC3),
        source="See et al.: MEGC 2019, second facial micro-expressions grand challenge, FG 2019",
        counts=dict(zip(_MEGC3, (250, 109, 83), strict=True)),
    ),
)

#: Name -> label scheme.
SCHEMES: dict[str, LabelScheme] = {scheme.name: scheme for scheme in _ALL}
