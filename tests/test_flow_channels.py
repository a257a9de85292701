"""One order of flow channels, against literal loops over every other order."""

from itertools import permutations

import numpy as np
import pytest

from mer_keras.errors import ConfigError
from mer_keras.flow_channels import FLOW_CHANNELS, check_order, in_flow_order


@pytest.mark.parametrize("order", permutations(FLOW_CHANNELS))
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_fault_54_every_order_is_brought_to_u_v_strain(order, dtype):
    array = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype(dtype)
    ordered = in_flow_order(array, order)
    assert ordered.dtype == dtype and ordered.flags.c_contiguous
    for position, name in enumerate(("u", "v", "strain")):
        for stored, stored_name in enumerate(order):
            if stored_name == name:
                np.testing.assert_array_equal(ordered[..., position], array[..., stored])


@pytest.mark.parametrize(
    "order", [("u", "v"), ("u", "v", "v"), ("u", "v", "os"), ("u", "v", "strain", "u"), ()]
)
def test_fault_54_no_order_is_guessed(order):
    with pytest.raises(ConfigError, match="expected each of u, v, strain once"):
        check_order(order, "somewhere")
    with pytest.raises(ConfigError, match="expected each of u, v, strain once"):
        in_flow_order(np.zeros((2, 2, 3)), order)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_fault_54_other_numbers_of_channels_are_refused(channels):
    with pytest.raises(ConfigError, match="expected three channels"):
        in_flow_order(np.zeros((2, 2, channels)), ("strain", "v", "u"))
