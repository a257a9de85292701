import pytest

from mer_keras.bundles.choices import Choice
from mer_keras.bundles.fitting import fit, write_bundle
from tests.bundles.small import context_of, experiment, plan_of


@pytest.fixture(scope="session")
def svm(tmp_path_factory):
    """A bundle of a linear support vector machine, and its file; tests only read them."""
    config = experiment("linear_svm")
    bundle = fit(context_of(config), Choice(plan_of(config)))
    file = tmp_path_factory.mktemp("bundles") / "svm.mer"
    write_bundle(bundle, file)
    return bundle, file
