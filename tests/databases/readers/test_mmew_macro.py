"""MMEW's macro-expressions: the people are those of its micro-expressions."""

import pytest

from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.errors import AnnotationError
from tests.databases.trees import touch


def test_sequences_by_subject_and_emotion(tmp_path):
    for path in ("S01/anger/1.jpg", "S01/happiness/take1/1.jpg", "S02/others/1.jpg"):
        touch(tmp_path / "MMEW_Final" / "Macro_Expression" / path)
    touch(tmp_path / "MMEW_Final" / "Macro_Expression" / "S02" / "notes" / "1.jpg")
    samples = registry.load("mmew_macro", tmp_path)
    assert samples.ids == [
        "mmew/S01/macro-anger",
        "mmew/S01/macro-happiness-take1",
        "mmew/S02/macro-others",
    ]
    assert "1 folder(s) of unknown emotions are not read" in samples.warnings
    assert registry.get_database("mmew_macro").expressions == "macro"


def test_somebody_who_is_tested_is_not_pretrained_on(tmp_path, mmew_tree):
    from mer_keras.config.experiment import Stage
    from mer_keras.errors import ProtocolError
    from mer_keras.runs.pretrain import check_subjects

    root = mmew_tree()
    touch(root / "Macro_Expression" / "S13" / "anger" / "1.jpg")
    macro, micro = registry.load("mmew_macro", root), registry.load("mmew", root)
    stage = Stage.model_construct(name="macro")
    with pytest.raises(ProtocolError, match="mmew/S13"):
        check_subjects(stage, macro.table, micro.table)


def test_labels_are_those_of_the_schemes_for_pretraining(tmp_path):
    for emotion in ("anger", "fear"):
        touch(tmp_path / "Macro_Expression" / "S01" / emotion / "1.jpg")
    labelled = apply_scheme(registry.load("mmew_macro", tmp_path), get_scheme("macro5"))
    assert labelled.class_counts() == {"anger": 1}


def test_without_the_folder_it_is_told(tmp_path):
    with pytest.raises(AnnotationError, match="Macro_Expression"):
        registry.load("mmew_macro", tmp_path)
