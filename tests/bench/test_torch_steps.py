"""Networks written without this suite are those that their steps are compared with."""

import pytest

pytest.importorskip("keras")
from mer_keras.bench.loso import load_script
from mer_keras.models import registry


@pytest.mark.long
def test_learnet_in_plain_keras_has_as_many_parameters_and_learns():
    step = load_script("plain_keras_frames").Step("learnet", 2)
    assert step.parameter_count() == registry.get_spec("learnet").built_parameters
    assert step() > 0
