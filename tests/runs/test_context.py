"""What a run says of its rows."""

from pathlib import Path

import pytest

from mer_keras.runs.context import RunContext
from tests.config.small import SVM, experiment

CHOOSING = {"title": "t", "classical": {"classifier": "linear_svm", "choices": {"C": [0.1, 1]}}}


@pytest.mark.parametrize(
    ("selection", "of_the_classifier"),
    [
        ("inner_subjects", "inner_subjects"),
        ("test_fold", "test_fold"),
        ("last_epoch", "inner_subjects"),  # Nothing is held back, so that training clips choose.
    ],
)
@pytest.mark.parametrize(
    ("weights", "of_the_network"), [(None, None), (Path("net.weights.h5"), "external")]
)
def test_given_weights_are_the_networks_choice_and_no_other_methods(
    selection, of_the_classifier, weights, of_the_network
):
    """Classical methods are fitted all the same, and choose by the clips that the config names."""
    config = experiment(
        selection=selection,
        baselines=["svm", "choosing"],
        methods={"svm": SVM, "choosing": CHOOSING},
    )
    context = RunContext(config, "full", samples=None, clips={}, folds=None, weights=weights)
    assert [str(context.selection_of(plan)) for plan in config.plans] == [
        of_the_network or selection,
        "last_epoch",
        of_the_classifier,
    ]
