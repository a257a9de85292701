"""Pretrained backbones: networks trained on other data, whose weights every fold starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from mer_keras.models import registry
from mer_keras.models.weights import carry, load_weights

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Backbone:
    """A pretrained backbone on disk; it can be sent to other processes.

    Attributes:
        model: name of its network.
        arguments: of its builder.
        shape: of its input, without the batch.
        classes: that it was trained on, in order.
        file: its weights.
        record: what it was trained on and how well it did on validation data, JSON-ready.
    """

    model: str
    arguments: Mapping[str, object]
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    file: Path
    record: Mapping[str, JsonValue]

    def build(self) -> "keras.Model":
        """Return its network with its weights."""
        network = registry.build(self.model, self.shape, len(self.classes), **self.arguments)
        load_weights(network, self.file)
        return network

    def starter(self, classes: Sequence[str]) -> "Starter":
        """Return what gives a network its start; the head is carried if the classes are equal."""
        return Starter(self, head=tuple(classes) == self.classes)


class Starter:
    """Gives networks the weights of a backbone, which is read once."""

    def __init__(self, backbone: Backbone, *, head: bool) -> None:
        """See ``Backbone.starter``."""
        self._backbone, self._head = backbone, head
        self._network: keras.Model | None = None

    def __call__(self, network: "keras.Model") -> None:
        """Copy the layers that the network shares with the backbone."""
        if self._network is None:
            self._network = self._backbone.build()
        carry(self._network, network, head=self._head)
