"""A bundle's card as markdown: nothing that a reader must know is left out."""

import pytest
from pydantic import ValidationError

from mer_keras.bundles.card import ClassEstimate, Estimate, Interval, OtherRow
from mer_keras.bundles.text import card_text
from mer_keras.terms import WATERMARK, Selection

HALF = Interval(value=0.5, low=0.4, high=0.61)


def estimate(**changes):
    facts = {
        "of": "networks that were fitted to other people's clips",
        "of_these": False,
        "run_id": "small-quick-1",
        "protocol": "leave-one-subject-out",
        "subject_exclusive": True,
        "selection": Selection.INNER_SUBJECTS,
        "clips": 30,
        "subjects": 10,
        "seeds": 2,
        "metrics": {"uf1": HALF, "uar": Interval(value=0.25, low=0.2, high=0.3)},
        "databases": {"samm": {"uf1": HALF, "uar": HALF}},
        "classes": (ClassEstimate(name="surprise", clips=9, recall=1, precision=0.5, f1=2 / 3),),
        "confusion": ((9,),),
        "baselines": (OtherRow(name="majority class", uf1=0.2, uar=0.33),),
        "warning": "few people",
    }
    return Estimate(**facts | changes)


def text_with(svm, **changes):
    return card_text(svm[0].card.model_copy(update=changes))


def test_numbers_stand_with_their_intervals_and_what_they_are_of(svm):
    text = text_with(svm, estimate=estimate())
    for expected in (
        "Estimate, of networks that were fitted to other people's clips.",
        "run small-quick-1: leave-one-subject-out, selection inner_subjects, 30 clips of 10 people",
        "UF1 50.00 [40.00, 61.00]",
        "UAR 25.00 [20.00, 30.00]",
        "samm alone: UF1 50.00, UAR 50.00",
        "surprise: 9 tested, recall 100.0, precision 50.0, F1 66.7",
        "beside it, majority class: UF1 20.00, UAR 33.00",
        "the intervals: few people",
    ):
        assert expected in text
    assert "tested people were trained on" not in text
    seen = text_with(svm, estimate=estimate(subject_exclusive=False))
    assert "leave-one-subject-out, tested people were trained on, selection" in seen


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"given_weights": True}, "its weights were trained elsewhere"),
        ({"parameters": 1715}, "weights of a member: 1,715"),
        ({}, "members: 1, one for each of its seeds"),
    ],
)
def test_what_the_method_is(svm, update, expected):
    method = svm[0].card.method.model_copy(update=update)
    assert expected in text_with(svm, method=method)


def test_drawn_faces_are_marked_first(svm):
    assert card_text(svm[0].card).splitlines()[2] == WATERMARK
    training = svm[0].card.training.model_copy(update={"data_kind": "public"})
    assert WATERMARK not in text_with(svm, training=training)


def test_how_videos_are_read_is_said(svm):
    text = card_text(svm[0].card)
    assert "input clips: flow of 32x32x3, channels u, v, strain" in text
    assert "from a video: not as in training\n  - the training frames were cropped" in text


@pytest.mark.parametrize("changes", [{"metrics": {"uf1": HALF}}, {"databases": {"samm": {}}}])
def test_an_estimate_without_what_is_shown_is_none(changes):
    with pytest.raises(ValidationError, match="lacks 'uf1' or 'uar'"):
        estimate(**changes)
