"""Rounded parameter counts: are they those of a well-known network?"""

from pathlib import Path

from pydantic import Field

from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.published import RoundedCount
from mer_keras.config.strict import StrictModel
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import read_yaml

_FILE = Path(__file__).with_suffix(".yaml")
#: Number of ImageNet's classes: a network may have been counted with its first head.
IMAGENET_CLASSES = 1000


class KnownNetwork(StrictModel):
    """A well-known feed-forward network, by its layers.

    ``convolutions``: kernel height, kernel width, input channels a group, output channels of each.
    ``dense``: input and output units of each, without the last. ``features``: input units of the
    last. Every layer has biases.
    """

    title: str
    source: str
    convolutions: tuple[tuple[int, int, int, int], ...]
    dense: tuple[tuple[int, int], ...]
    features: int = Field(ge=1)

    def parameters(self, classes: int) -> int:
        """Number of its parameters with a head of so many classes."""
        kernels = sum(h * w * before * after + after for h, w, before, after in self.convolutions)
        units = sum(before * after + after for before, after in self.dense)
        return kernels + units + (self.features + 1) * classes


def known_networks() -> list[KnownNetwork]:
    """Networks of ``known_networks.yaml``."""
    return [validated(KnownNetwork, tree, str(_FILE)) for tree in read_yaml(_FILE)["networks"]]


def rounded_count_finding(count: RoundedCount) -> Finding:
    """Name the well-known networks whose number of parameters rounds to a printed one."""
    equal = {
        f"{network.title} with {classes:,} classes": network.parameters(classes)
        for network in known_networks()
        for classes in (count.classes, IMAGENET_CLASSES)
        if round(network.parameters(classes) / count.unit) * count.unit == count.published
    }
    about = f"{count.title}: {count.published:,} parameters"
    if not equal:
        tried = ", ".join(network.title for network in known_networks())
        says = f"no count of {tried} rounds to it"
        return Finding(count.where, about, says, "", {}, Kind.PARAMETERS)
    listed = " and of ".join(f"{title} ({built:,})" for title, built in equal.items())
    says = f"it is the count of {listed}"
    actual = f"the count of {listed}"
    evidence = "counted from the layers of the network"
    correction = Correction(count.where, about, actual, evidence)
    limits = "Rounded counts can agree by chance; what was built doesn't follow."
    return Finding(count.where, about, says, limits, dict(equal), Kind.PARAMETERS, (correction,))
