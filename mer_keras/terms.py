"""The glossary in code: column names and the closed vocabularies that every module shares."""

from enum import StrEnum


class DataKind(StrEnum):
    """Where pixels come from. Numbers of different kinds never share a column."""

    LICENSED = "licensed"  # an official database, which its user obtained from its owners
    PUBLIC = "public"  # real micro-expressions that anybody may download
    SYNTHETIC = "synthetic"  # procedural faces: a check of the pipeline, no more


class Selection(StrEnum):
    """Which data early stopping, learning-rate plateaus and checkpointing look at."""

    INNER_SUBJECTS = "inner_subjects"  # a subject-exclusive part of the training ids
    INNER_CLIPS = "inner_clips"  # a part of the training ids, of subjects that are trained on too
    LAST_EPOCH = "last_epoch"  # nothing: the weights after the last epoch
    TEST_FOLD = "test_fold"  # the very samples the reported number is computed on
    EXTERNAL = "external"  # weights brought by the user: what they were selected on is unknown


#: Marks results whose selection saw, or may have seen, the reported samples.
DAGGER = "†"
#: Marks results whose tested subjects were trained on.
DOUBLE_DAGGER = "‡"

#: Stands on everything that shows synthetic numbers.
WATERMARK = "SYNTHETIC: a check of the pipeline, not a result about faces"

#: A file of this name in a database's folder says that its frames are synthetic.
SYNTHETIC_MARKER = "SYNTHETIC.json"

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
    "corrected",
    "data_kind",
)

#: Columns of a predictions table before its ``prob_<class>`` columns (see ``results``).
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
