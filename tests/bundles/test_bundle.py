"""A bundle in memory: which clips it takes, and how its members vote."""

import numpy as np
import pytest

from mer_keras.bundles import packing
from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.choices import Choice
from mer_keras.bundles.fitting import fit, write_bundle
from mer_keras.errors import UserError
from mer_keras.methods.chance import ChanceMethod
from mer_keras.runs.context import RunContext
from mer_keras.training.fold import FoldFailedError
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


def test_more_than_can_be_read_is_not_written(svm, tmp_path, monkeypatch):
    bundle, file = svm
    size = file.stat().st_size
    monkeypatch.setattr(packing, "MOST_BYTES", size + packing.MOST_CARD)
    write_bundle(Bundle(bundle.card, bundle.learned), tmp_path / "fits.mer")
    monkeypatch.setattr(packing, "MOST_BYTES", size - size // 2 + packing.MOST_CARD)
    with pytest.raises(UserError, match=r"1 members take .* bytes, and a bundle of more"):
        write_bundle(Bundle(bundle.card, bundle.learned), tmp_path / "larger.mer")
    assert not (tmp_path / "larger.mer").exists()


@pytest.mark.parametrize(
    ("parameters", "seeds", "expected"),
    [
        (276_590_089, 2, r"2 network\(s\) of 276,590,089 weights"),
        (500_000_000, 1, "450,000,000 at most"),
        (403_221_861, 1, None),
    ],
)
def test_networks_that_could_not_be_read_are_not_fitted_to_the_end(
    monkeypatch, parameters, seeds, expected
):
    """The first epoch tells, when the network is there to be counted."""

    class Large(ChanceMethod):
        parameters = property(lambda self: parameters)
        fits = 0

        def fit(self, x, y, **options):
            options["on_epoch"](1, 100)
            Large.fits += 1
            return super().fit(x, y, **options)

    config = experiment("majority")
    context, choice = context_of(config), Choice(plan_of(config))
    method = Large(choice.plan.config.chance, 3)
    monkeypatch.setattr(RunContext, "method", lambda *_, **__: method)
    if expected is None:
        assert len(fit(context, choice, seeds=seeds).learned) == Large.fits == seeds
        return
    with pytest.raises(UserError, match=expected):
        fit(context, choice, seeds=seeds)
    assert not Large.fits


def test_an_answer_that_is_no_number_is_the_bundles_error(svm, monkeypatch):
    bundle = Bundle(svm[0].card, svm[0].learned)

    def not_finite(clips):
        raise FoldFailedError("the prediction of clip 1 of 2 is not finite")

    monkeypatch.setattr(bundle.method(), "predict_proba", not_finite)
    with pytest.raises(UserError, match="answer of member 0 is no finite number"):
        bundle.predict_inputs(new_clips(bundle.card))


def test_a_card_that_can_hold_no_such_name_is_refused():
    config = experiment("majority", name="n" * 250)
    with pytest.raises(UserError, match="doesn't fit into a bundle: experiment: "):
        fit(context_of(config), Choice(plan_of(config)))
