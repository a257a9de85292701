"""Every method of the registry: fitted, stored, read by another process, it predicts the same."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mer_keras.bundles.choices import Choice
from mer_keras.bundles.fitting import fit, write_bundle
from mer_keras.bundles.loading import load_bundle
from mer_keras.errors import ConfigError
from mer_keras.methods.registry import describe_method, known_methods
from tests.bundles.small import context_of, experiment, new_clips, plan_of
from tests.models.small import SHAPES

#: It knows the names of files and inputs alone.
PROGRAM = """
import sys
import numpy as np
from mer_keras.bundles.loading import load_bundle
for name in sys.argv[2:]:
    bundle = load_bundle(f"{sys.argv[1]}/{name}.mer")
    with np.load(f"{sys.argv[1]}/{name}.inputs.npz") as stored:
        inputs = {key: stored[key] for key in stored.files}
    np.save(f"{sys.argv[1]}/{name}.votes.npy", bundle.predict_inputs(inputs).per_seed)
"""
RUNNING = [name for name in known_methods() if describe_method(name).runs]
NETWORKS = {name for name in RUNNING if describe_method(name).network is not None}
#: The smallest network.
SMALLEST = "ststnet"


def test_every_network_has_a_small_shape():
    assert {describe_method(name).network.model for name in NETWORKS} <= set(SHAPES)


def bundle_of(method, **changes):
    config = experiment(method, **changes)
    seeds = 2 if method in NETWORKS else 1
    return fit(context_of(config), Choice(plan_of(config)), seeds=seeds)


def predicted_elsewhere(folder, names):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), *names], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return {name: np.load(folder / f"{name}.votes.npy") for name in names}


def bundles_of(folder, names):
    """Fit and store methods; let another process predict with them."""
    bundles = {}
    for name in names:
        bundles[name] = bundle_of(name)
        write_bundle(bundles[name], folder / f"{name}.mer")
        np.savez(folder / f"{name}.inputs.npz", **new_clips(bundles[name].card))
    return SimpleNamespace(bundles=bundles, elsewhere=predicted_elsewhere(folder, names))


@pytest.fixture(scope="module")
def without_networks(tmp_path_factory, caches):
    names = [name for name in RUNNING if name not in NETWORKS]
    return bundles_of(tmp_path_factory.mktemp("classical"), names)


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    """Features of these clips are cached here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def check(stored, name):
    bundle, elsewhere = stored.bundles[name], stored.elsewhere[name]
    votes = bundle.predict_inputs(new_clips(bundle.card))
    assert elsewhere.shape == (len(bundle.card.members), 5, 3)
    np.testing.assert_allclose(votes.per_seed, elsewhere, rtol=0, atol=1e-6)
    np.testing.assert_allclose(votes.mean, elsewhere.mean(axis=0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in RUNNING if name not in NETWORKS])
def test_a_method_without_a_network(without_networks, name):
    check(without_networks, name)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_network(name, tmp_path):
    check(bundles_of(tmp_path, [name]), name)


@pytest.mark.slow
def test_statistics_of_the_training_clips_travel(tmp_path):
    """A network that standardises predicts the same after it was read."""
    train = {"optimizer": {"learning_rate": 0.01}, "epochs": 1, "batch_size": 6}
    bundle = bundle_of(SMALLEST, train={**train, "standardise": True})
    write_bundle(bundle, tmp_path / "b.mer")
    assert bundle.learned[0].arrays["standardise/scale"] != 1
    inputs = new_clips(bundle.card)
    again = load_bundle(tmp_path / "b.mer").predict_inputs(inputs)
    np.testing.assert_allclose(bundle.predict_inputs(inputs).per_seed, again.per_seed, atol=1e-6)


def test_one_that_looks_at_tested_clips_is_for_folds_alone():
    config = experiment("lbp_top_adaboost")
    row = {
        "name": "row",
        "method": "lbp_top_adaboost",
    }
    method = config.methods["lbp_top_adaboost"].model_dump(mode="json")
    method["classical"]["classifier_arguments"]["adapt"] = "stm"
    changed = experiment("lbp_top_adaboost", rows=[row], methods={"lbp_top_adaboost": method})
    with pytest.raises(ConfigError, match="can be run in the folds of an experiment only"):
        fit(context_of(changed), Choice(plan_of(changed)))
