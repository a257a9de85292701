"""The glossary in code: column names and the closed vocabularies that every module shares."""

from enum import StrEnum


class DataKind(StrEnum):
    """Where pixels come from. Numbers of different kinds never share a column.

    Attributes:
        LICENSED: an official database, which its user obtained from its owners.
        PUBLIC: real micro-expressions that anybody may download.
        OWN: clips that a user listed in a file, alone or pooled with licensed ones.
        SYNTHETIC: procedural faces, which check the pipeline and nothing else.
    """

    LICENSED = "licensed"
    PUBLIC = "public"
    OWN = "own"
    SYNTHETIC = "synthetic"


class Selection(StrEnum):
    """Which data early stopping, learning-rate plateaus and the choice of weights look at.

    Attributes:
        INNER_SUBJECTS: a part of the training clips; none of its subjects is trained on.
        INNER_CLIPS: a part of the training clips; other clips of its subjects are trained on.
        LAST_EPOCH: no data; the weights after the last epoch are taken.
        TEST_FOLD: the very clips that the reported number is computed on.
        EXTERNAL: unknown; the user brought the weights.
    """

    INNER_SUBJECTS = "inner_subjects"
    INNER_CLIPS = "inner_clips"
    LAST_EPOCH = "last_epoch"
    TEST_FOLD = "test_fold"
    EXTERNAL = "external"


#: Marks results whose selection saw, or may have seen, the reported samples.
DAGGER = "†"
#: Marks results whose tested subjects were trained on.
DOUBLE_DAGGER = "‡"

#: Text that stands on everything that shows synthetic numbers.
WATERMARK = "SYNTHETIC: a check of the pipeline, not a result about faces"

#: A file of this name in a database's folder says that its frames are synthetic.
SYNTHETIC_MARKER = "SYNTHETIC.json"

#: Emotion of a clip that nobody labelled: it can be predicted, not learned or tested.
UNLABELLED = "unlabelled"

#: Columns of the samples table, in order (see ``databases.samples``).
SAMPLE_COLUMNS = (
    "sample_id",
    "database",
    "subject",
    "subject_id",
    "clip",
    "path",
    "onset",
    "apex",
    "offset",
    "fps",
    "emotion",
    "label",
    "action_units",
    "objective_class",
    "self_report",
    "stimulus_emotion",
    "corrected",
    "data_kind",
)

#: Columns of a predictions table before its ``prob_<class>`` columns (see ``runs.folder``).
PREDICTION_COLUMNS = (
    "run_id",
    "experiment",
    "table",
    "row",
    "method",
    "protocol",
    "selection",
    "data_kind",
    "database",
    "fold",
    "seed",
    "sample_id",
    "subject_id",
    "label",
    "predicted",
    "epoch",
)
