"""What the folds of a row start from: a network trained on other data, or a file of weights."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from mer_keras.models import registry
from mer_keras.models.weights import carry, carry_file, load_weights, weights_digest

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Backbone:
    """A pretrained backbone on disk; it can be sent to other processes.

    Attributes:
        model: name of its network.
        arguments: the arguments of the network's builder.
        shape: shape of the network's input, without the batch.
        classes: names of the classes that it was trained on, in order.
        file: the file of its weights.
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

    def starter(self, classes: Sequence[str]) -> "Callable[[keras.Model], None]":
        """Return what copies to a network the layers that it shares with the backbone.

        The weights are read once; the head is carried if ``classes`` are the backbone's.
        """
        build = cache(self.build)

        def start(network: "keras.Model") -> None:
            carry(build(), network, head=tuple(classes) == self.classes)

        return start


@dataclass(frozen=True)
class StartFile:
    """A file of weights that a row starts from without pretraining.

    Attributes:
        file: an ``.npz`` (see ``weights.carry_file``).
        record: of the manifest, where it stands beside the records of pretraining: no images.
    """

    file: Path
    record: Mapping[str, JsonValue]

    @classmethod
    def of(cls, file: Path) -> "StartFile":
        """Return the start from a file."""
        record: dict[str, JsonValue] = {
            "digest": weights_digest(file),
            "stage": "weights of a file",
            "start_from": True,
            "images": 0,
            "validation_images": 0,
            "validation_split_by": "clip",
            "accuracy": 0.0,
        }
        return cls(file, record)

    def starter(self, classes: Sequence[str]) -> "Callable[[keras.Model], None]":
        """Return what gives a network the weights that the file has for it, but for the head."""

        def start(network: "keras.Model") -> None:
            carry_file(self.file, network)

        return start
