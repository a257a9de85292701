"""The channels of optical flow: their one order, and what mirroring a picture does to each.

Every array of flow has the channels (u, v, strain): displacement to the right, displacement down,
optical strain. Images and weights of another order are declared, and brought to this one where
they are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import ConfigError

FlowChannel: TypeAlias = Literal["u", "v", "strain"]
#: The three channels of flow in some order.
FlowOrder: TypeAlias = tuple[FlowChannel, FlowChannel, FlowChannel]
#: The order of every array of flow.
FLOW_CHANNELS: FlowOrder = ("u", "v", "strain")

#: What becomes of a channel's values, beside their places, when the picture is mirrored left to
#: right. ``keep``: nothing. ``negate``: signed values change their sign. ``bytes``: a channel that
#: was scaled by its own range to 0..255 becomes 255 minus itself. ``range``: a channel that was
#: scaled by its own range to any other becomes its least plus its greatest value minus itself.
#: ``unknown``: nobody says what the values mean.
Mirroring: TypeAlias = Literal["keep", "negate", "bytes", "range", "unknown"]

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True)
class FlowForm:
    """What the channels of an input of optical flow are.

    Attributes:
        channels: their names, in order; ``FLOW_CHANNELS`` but for magnitudes and directions.
        mirroring: of each channel.
    """

    channels: tuple[str, ...]
    mirroring: tuple[Mirroring, ...]


def in_flow_order(array: NDArray[Value], order: Sequence[str]) -> NDArray[Value]:
    """Bring the last axis of an array to the order (u, v, strain).

    Args:
        array: (..., 3) of any type.
        order: what its channels are.

    Returns:
        The same values, (..., 3).

    Raises:
        ConfigError: ``order`` doesn't name each of the three channels once, or the array has
            another number of channels.
    """
    check_order(order, "channels of flow")
    if array.shape[-1] != len(FLOW_CHANNELS):
        raise ConfigError(
            f"channels of flow: an array of shape {array.shape}, expected three channels "
            f"({', '.join(order)}) on its last axis"
        )
    return np.ascontiguousarray(array[..., [list(order).index(name) for name in FLOW_CHANNELS]])


def check_order(order: Sequence[str], where: str) -> FlowOrder:
    """Return an order of the three channels that was read from somewhere.

    Args:
        order: the names.
        where: what says it, for the error.

    Raises:
        ConfigError: it doesn't name each of u, v and strain once.
    """
    if sorted(order) != sorted(FLOW_CHANNELS):
        raise ConfigError(
            f"{where}: {list(order)}, expected each of {', '.join(FLOW_CHANNELS)} once, in the "
            "order in which they stand"
        )
    first, second, third = order
    return first, second, third  # type: ignore[return-value]  # The names were just checked.
