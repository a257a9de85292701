"""The spelling of labels of a user's own data."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.databases.labels import LabelScheme, known_emotions
from mer_keras.databases.own_classes import check_spelling, read_classes
from mer_keras.databases.samples import ClipAnnotation
from mer_keras.errors import AnnotationError, UserError
from mer_keras.terms import UNLABELLED

SOURCE = Path("clips.csv")


def clips(*emotions):
    return [
        ClipAnnotation("lab", "p1", f"c{row}", Path("x"), emotion, row=row)
        for row, emotion in enumerate(emotions, start=2)
    ]


def failure(*emotions, scheme=None):
    with pytest.raises(AnnotationError) as caught:
        check_spelling(clips(*emotions), SOURCE, scheme)
    return str(caught.value)


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("happines", "happiness"),
        ("supprise", "surprise"),
        ("sadnes", "sadness"),
        ("represion", "repression"),
        ("disgusted", "disgust"),
        ("netural", "neutral"),
    ],
)
def test_fault_02_76_a_slip_is_named_with_its_row(label, meant):
    message = failure("fear", label, label)
    for words in ("clips.csv: row 3", repr(label), f"did you mean {meant!r}", "2 clip(s)"):
        assert words in message
    assert "--classes" in message


@given(st.lists(st.sampled_from([*sorted(known_emotions()), "happy", "高兴", UNLABELLED])))
def test_known_labels_are_accepted(emotions):
    assert check_spelling(clips(*emotions), SOURCE) == []


def test_labels_of_ones_own_are_accepted_and_said():
    (line,) = check_spelling(clips(*["confused"] * 3, "fear", "stressed"), SOURCE)
    assert "'confused' (3 clips), 'stressed' (1 clips)" in line
    assert "--classes" in line


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "n/a", "-"])
def test_fault_76_what_programs_write_for_an_empty_cell_is_no_emotion(word):
    message = failure("fear", word.lower())
    assert "clips.csv: row 3" in message and "leave the cell empty" in message
    scheme = LabelScheme(
        name="s", title="s", source="s", classes=("a",), mapping={word.lower(): "a", "fear": "a"}
    )
    assert check_spelling(clips("fear", word.lower()), SOURCE, scheme) == []


def test_fault_76_the_other_spelling_of_unlabelled_makes_no_class():
    assert "did you mean 'unlabelled'" in failure("fear", "unlabeled")


def test_fault_76_a_rare_slip_of_a_label_of_ones_own_is_found():
    assert "did you mean 'confused'" in failure(*["confused"] * 10, "confsued")
    # Both are common: they may be two labels.
    check_spelling(clips(*["stress a"] * 4, *["stress b"] * 4), SOURCE)


def test_with_classes_their_file_decides():
    scheme = LabelScheme(name="s", title="s", source="s", classes=("a",), mapping={"happines": "a"})
    assert check_spelling(clips("happines"), SOURCE, scheme) == []
    message = failure("happines", "fear", scheme=scheme)
    assert "row 3: emotion 'fear'" in message and "expected one of happines" in message


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("classes: {pos: [happiness], neg: }", "class 'neg' has no emotion"),
        ("classes: {pos: [happiness], neg: []}", "class 'neg' has no emotion"),
        ("classes: {yes: [happiness], no: [fear]}", "put yes, no, on and off into quotes"),
        ("classes: [off, happiness]", "False as a class or an emotion"),
        ("classes: {pos: {happiness: 1}, neg: [fear]}", "as a class or an emotion"),
        ("classes: {pos: [happiness, fear]}", "1 class, expected two or more"),
        ("classes: {pos: [happiness], rest: [unlabelled]}", "have no class: remove it"),
    ],
)
def test_fault_76_what_yaml_makes_of_classes_is_no_class(tmp_path, text, complaint):
    (tmp_path / "classes.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_classes(tmp_path / "classes.yaml", "lab")
    assert complaint in str(caught.value) and "classes.yaml" in str(caught.value)
