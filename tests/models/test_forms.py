"""Networks of plain layers are those of fast ones: weights, initial values, cost, predictions."""

import json
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.layers.choice import FAST_FORMS, Form, layers_of_form, plain_form  # noqa: E402
from mer_keras.models import cost  # noqa: E402
from tests.models.small import SHAPES, build_small, marked, ramp_clips, set_ramp_weights  # noqa: E402

GOLDENS = json.loads(Path(__file__).with_name("goldens.json").read_text())
CLASSES = 4


def build(name, form):
    keras.utils.clear_session()  # Names that Keras makes up are counted on from network to network.
    keras.utils.set_random_seed(3)
    with layers_of_form(form):
        return build_small(name, CLASSES)


@pytest.mark.filterwarnings("error::UserWarning")
@pytest.mark.parametrize("name", marked(SHAPES))
def test_both_forms_are_one_network(name, tmp_path):
    plain, fast = build(name, Form.PLAIN), build(name, Form.FAST)
    assert [layer.name for layer in plain.layers] == [layer.name for layer in fast.layers]
    assert [v.path for v in plain.variables] == [v.path for v in fast.variables]
    for own, other in zip(plain.get_weights(), fast.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)

    plain_kinds, fast_kinds = (
        [type(layer) for layer in network._flatten_layers()] for network in (plain, fast)
    )
    assert not set(plain_kinds) & set(FAST_FORMS.values())
    assert plain_kinds == [plain_form(kind) for kind in fast_kinds]
    assert cost.layer_costs(plain) == cost.layer_costs(fast)

    set_ramp_weights(plain)
    predictions = plain.predict(ramp_clips(name), verbose=0)
    np.testing.assert_allclose(predictions, GOLDENS[name], atol=1e-4)

    # Either reads the other's file.
    file = tmp_path / "network.weights.h5"
    plain.save_weights(file)
    fast.load_weights(file)
    for own, other in zip(fast.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
    fast.set_weights([value + 1 for value in fast.get_weights()])
    fast.save_weights(file)
    plain.load_weights(file)
    for own, other in zip(plain.get_weights(), fast.get_weights(), strict=True):
        np.testing.assert_array_equal(own, other)
