"""Scores of a row: all metrics come from the same matrices, and are those of the plain loops."""

import numpy as np
import pandas as pd
import pytest

from mer_keras.evaluation import metrics
from mer_keras.report.scoring import pooled_over, values_of

CLASSES = ["negative", "positive", "surprise"]


@pytest.fixture(scope="module")
def predictions():
    """Two seeds of eleven folds, of one or two people who have a few clips each."""
    rng = np.random.default_rng(0)
    people = [f"d/{person}" for person in range(17) for _ in range(rng.integers(1, 5))]
    labels = rng.choice(CLASSES, len(people))
    parts = []
    for seed in (3, 10):
        predicted = np.where(
            rng.random(len(people)) < 0.6, labels, rng.choice(CLASSES, len(people))
        )
        folds = [f"fold-{int(person[2:]) % 11}" for person in people]
        parts.append(
            pd.DataFrame(
                {"seed": seed, "fold": folds, "subject_id": people, "label": labels}
                | {"predicted": predicted}
            )
        )
    return pd.concat(parts).sample(frac=1, random_state=1)


def matrix(part):
    return metrics.confusion_matrix(list(part["label"]), list(part["predicted"]), CLASSES)


@pytest.mark.parametrize("metric", metrics.METRICS)
def test_a_value_is_that_of_loops_over_seeds_and_folds(predictions, metric):
    value = values_of(predictions, CLASSES)[metric]
    of_seeds, of_folds = (
        [float(metrics.of_present_classes(metric, matrix(part))) for _, part in groups]
        for groups in (predictions.groupby("seed"), predictions.groupby(["seed", "fold"]))
    )
    intervals = [
        metrics.bootstrap_interval(
            list(part["label"]), list(part["predicted"]), list(part["subject_id"]), CLASSES, metric
        )
        for _, part in predictions.groupby("seed")
    ]
    low, high = np.mean(intervals, axis=0)
    assert (value.pooled, value.seed_sd) == (np.mean(of_seeds), np.std(of_seeds))
    assert (value.fold_mean, value.fold_sd) == (np.mean(of_folds), np.std(of_folds))
    assert (value.low, value.high, value.subjects) == (low, high, 17)
    assert pooled_over(predictions, CLASSES, metric, ["seed", "fold"]) == of_folds
