"""The label schemes of the papers: classes, what is left out, and the counts that they print.

Schemes that come with a database itself are in its reader's module (``Database.schemes``).
"""

from mer_keras.databases.labels import LabelScheme, unchanged
from mer_keras.databases.registry import DATABASES
from mer_keras.errors import UserError, did_you_mean


def known_schemes() -> dict[str, LabelScheme]:
    """Return all label schemes by name: those of the papers, then those of the databases."""
    own = (scheme for database in DATABASES.values() for scheme in database.schemes)
    return {scheme.name: scheme for scheme in (*_OF_PAPERS, *own)}


def get_scheme(name: str) -> LabelScheme:
    """Return a label scheme by name.

    Raises:
        UserError: there is none of this name.
    """
    schemes = known_schemes()
    if name not in schemes:
        raise UserError(
            f"no label scheme {name!r}{did_you_mean(name, schemes)}: there are {', '.join(schemes)}"
        )
    return schemes[name]


_SHUKLA = "Shukla, Rai, Verlekar: shallow ConvLSTM-based network, ACCV 2022 workshops"
_NEGATIVE = ("anger", "contempt", "disgust", "fear", "sadness")
_SAMM5 = ("happiness", "other", "anger", "contempt", "surprise")
_SAMM7 = ("happiness", "anger", "contempt", "disgust", "fear", "sadness", "surprise")
_MMEW5 = ("happiness", "surprise", "disgust", "fear", "sadness")
_MEGC3 = ("negative", "positive", "surprise")
_CASME2_5 = ("disgust", "happiness", "repression", "surprise", "other")
_OBJECTIVE5 = ("happiness", "surprise", "anger", "disgust", "sadness")
_GAN = "Gan et al.: dense connections and mixed attention, Table 2"
_WANG = "Wang et al.: micro-attention, Neurocomputing 2020"
_GAJJALA = "Gajjala et al.: MERANet"

_OF_PAPERS = (
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
        mapping=unchanged(*_SAMM5),
        leaves_out=frozenset({"disgust", "fear", "sadness"}),
        source=_SHUKLA,
        counts=dict(zip(_SAMM5, (26, 26, 57, 12, 15), strict=True)),
    ),
    LabelScheme(
        name="samm7",
        title="SAMM, 7 classes",
        classes=_SAMM7,
        mapping=unchanged(*_SAMM7),
        leaves_out=frozenset({"other"}),
        source=_SHUKLA,
        counts=dict(zip(_SAMM7, (26, 57, 12, 9, 8, 6, 15), strict=True)),
    ),
    LabelScheme(
        name="mmew5",
        title="MMEW, 5 classes",
        classes=_MMEW5,
        mapping=unchanged(*_MMEW5),
        leaves_out=frozenset({"anger", "other", "repression"}),
        source="Upadhya, Verlekar: shallow convolution and attention-based models, ESANN 2025",
        counts=dict(zip(_MMEW5, (36, 89, 72, 16, 13), strict=True)),
    ),
    LabelScheme(
        name="casme2_5",
        title="CASME II, 5 classes",
        classes=_CASME2_5,
        mapping=unchanged(*_CASME2_5),
        leaves_out=frozenset({"fear", "sadness"}),
        source=_GAN,
        counts=dict(zip(_CASME2_5, (63, 32, 27, 25, 99), strict=True)),
    ),
    # The paper's table puts fear into "negative" for SAMM and leaves it out of CASME II. It names
    # sadness in neither; its totals (150 and 132) are nearest to these readings.
    LabelScheme(
        name="cde3_casme2",
        title="CASME II, 3 classes",
        classes=_MEGC3,
        mapping={
            "disgust": "negative",
            "repression": "negative",
            "happiness": "positive",
            "surprise": "surprise",
        },
        leaves_out=frozenset({"other", "fear", "sadness"}),
        source=_GAN,
    ),
    LabelScheme(
        name="cde3_samm",
        title="SAMM, 3 classes",
        classes=_MEGC3,
        mapping={
            **dict.fromkeys(_NEGATIVE, "negative"),
            "happiness": "positive",
            "surprise": "surprise",
        },
        leaves_out=frozenset({"other"}),
        source=_GAN,
    ),
    LabelScheme(
        name="objective5",
        title="5 objective classes, named by their emotion",
        classes=_OBJECTIVE5,
        mapping=dict(zip("12345", _OBJECTIVE5, strict=True)),
        leaves_out=frozenset({"6", "7"}),
        source=f"{_WANG}, Table 1, after Davison et al.: objective classes",
        column="objective_class",
        database_counts={
            "casme2": dict(zip(_OBJECTIVE5, (25, 15, 99, 26, 20), strict=True)),
            "samm": dict(zip(_OBJECTIVE5, (24, 13, 20, 8, 3), strict=True)),
        },
    ),
    LabelScheme(
        name="meranet_casme",
        title="CASME, 3 classes, clips of at least 16 frames",
        classes=("disgust", "repression", "tense"),
        mapping=unchanged("disgust", "repression", "tense"),
        leaves_out=frozenset({"surprise", "happiness", "sadness", "contempt", "fear"}),
        source=_GAJJALA,
        counts={"disgust": 34, "repression": 36, "tense": 45},
        min_frames=16,
    ),
    LabelScheme(
        name="meranet_casme2",
        title="CASME II, 3 classes, clips of at least 16 frames",
        classes=("disgust", "happiness", "surprise"),
        mapping=unchanged("disgust", "happiness", "surprise"),
        leaves_out=frozenset({"other", "repression", "sadness", "fear"}),
        source=_GAJJALA,
        counts={"disgust": 63, "happiness": 32, "surprise": 28},
        min_frames=16,
    ),
    LabelScheme(
        name="meranet_cas_me2",
        title="CAS(ME)^2, 3 classes",
        classes=("happiness", "anger", "disgust"),
        mapping=unchanged("happiness", "anger", "disgust"),
        source=_GAJJALA,
        counts={"happiness": 18, "anger": 22, "disgust": 17},
    ),
    LabelScheme(
        name="macro5",
        title="Macro-expressions, 5 classes",
        classes=_OBJECTIVE5,
        mapping=unchanged(*_OBJECTIVE5),
        leaves_out=frozenset({"fear", "contempt", "neutral"}),
        source=_WANG,
    ),
    LabelScheme(
        name="macro3",
        title="Macro-expressions, 3 classes",
        classes=_MEGC3,
        mapping={
            **dict.fromkeys(_NEGATIVE, "negative"),
            "happiness": "positive",
            "surprise": "surprise",
        },
        leaves_out=frozenset({"neutral"}),
        source=_GAN,
    ),
)
