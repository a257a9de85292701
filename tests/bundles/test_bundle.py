"""A bundle in memory: which clips it takes, and how its members vote."""

import numpy as np
import pytest

from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.choices import Choice
from mer_keras.bundles.fitting import fit
from mer_keras.errors import UserError
from tests.bundles.small import context_of, experiment, new_clips, plan_of


def test_no_clips_have_no_votes(svm):
    votes = svm[0].predict_inputs({"clips": np.empty((0, 32, 32, 3), "float32")})
    assert votes.mean.shape == (0, 3)
    assert votes.per_seed.shape == (1, 0, 3)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, "inputs none, expected clips"),
        ({"others": np.zeros((1, 32, 32, 3))}, "inputs others, expected clips"),
        ({"clips": np.zeros((1, 32, 31, 3))}, r"clips of shape \(32, 31, 3\), expected"),
        ({"clips": np.zeros((1, 5, 32, 32, 3))}, r"clips of shape \(5, 32, 32, 3\), expected"),
    ],
)
def test_other_inputs_are_refused(svm, inputs, expected):
    with pytest.raises(UserError, match=expected):
        svm[0].predict_inputs(inputs)


def test_inputs_of_different_numbers_of_clips(places):
    config = experiment("bi_woof_phase")
    bundle = fit(context_of(config), Choice(plan_of(config)))
    clips = new_clips(bundle.card)
    clips["onset_apex"] = clips["onset_apex"][:3]
    with pytest.raises(UserError, match="inputs of 3 and 5 clips"):
        bundle.predict_inputs(clips)


def test_clips_of_any_type_of_numbers_are_taken(svm):
    clips = new_clips(svm[0].card)["clips"]
    votes = svm[0].predict_inputs({"clips": clips.astype("float64")})
    np.testing.assert_array_equal(votes.mean, svm[0].predict_inputs({"clips": clips}).mean)


def test_each_member_has_its_own_weights_in_whatever_order_they_are_asked():
    config = experiment("stratified")
    bundle = fit(context_of(config), Choice(plan_of(config)), seeds=2)
    clips = {"clips": np.zeros((40, 32, 32, 3), "float32")}
    first, second = bundle.predict_inputs(clips).per_seed
    assert not np.array_equal(first, second)
    swapped = Bundle(bundle.card, bundle.learned[::-1]).predict_inputs(clips).per_seed
    np.testing.assert_array_equal(swapped, [second, first])
    np.testing.assert_array_equal(bundle.predict_inputs(clips).per_seed, [first, second])
