"""What is known of each network, to be read without Keras.

``networks.yaml`` has the facts, and ``departures.yaml`` how a network's default reading differs
from what its paper prints.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from mer_keras.arrays import Shape
from mer_keras.config.strict import StrictModel
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import Yaml, read_yaml
from mer_keras.flow_channels import FlowOrder


class Departure(StrictModel):
    """A difference between a paper's words and the network that is built of them by default.

    Attributes:
        about: what it is about.
        text: what the paper says of it, perhaps nothing.
        here: what is built.
        option: the builder's argument that chooses; empty where none does.
    """

    about: str
    text: str
    here: str
    option: str = ""

    @property
    def sentence(self) -> str:
        """The departure in words, as reports print it."""
        choice = f" (argument {self.option!r})" if self.option else ""
        return f"{self.about}{choice}. The paper: {self.text}. Here: {self.here}."


class ModelSpec(StrictModel):
    """What is known of a network without building it.

    The counts may be left out; what needs one then builds the network, or says that it is unknown.

    Attributes:
        name: used in configs.
        title: for readers.
        paper: authors, venue and year.
        builder: ``module:function``. The function takes input shape, classes and named readings.
        input_shape: the paper's, without the batch; of several inputs one shape each.
        classes: the paper's.
        published_parameters: as printed, or of the released network; ``None`` where neither is.
        built_parameters: of the default reading at ``input_shape``, moving statistics included.
        trainable_parameters: those that training changes.
        multiply_accumulates: of a forward pass of one clip (see ``models.cost``).
        activations: values that a training step keeps of one clip, at least.
        leaves_open: what the paper does not say, in a line; empty where that is nothing.
        count_differs: why the published count is not the built one; empty where it is.
        preset: arguments of the builder that make it this network.
        focus: layer whose maps Grad-CAM weighs, the last one that still has positions.
        inputs: names of the experiment's inputs that it reads by default, in the order of
            ``input_shape``.
        weights_channels: order of the channels of flow that weights published under their
            authors' own names expect, such as PyTorch's; they are brought to (u, v, strain) when
            they are loaded (see ``models.weights``).
        departures: of its default reading from the paper's words.
    """

    name: str
    title: str
    paper: str
    builder: str
    input_shape: Shape
    classes: int
    published_parameters: int | None = None
    built_parameters: int | None = None
    trainable_parameters: int | None = None
    multiply_accumulates: int | None = None
    activations: int | None = None
    leaves_open: str = ""
    count_differs: str = ""
    preset: Mapping[str, object] = Field(default_factory=dict)
    focus: str = ""
    inputs: tuple[str, ...] = ("clips",)
    weights_channels: FlowOrder | None = None
    departures: tuple[Departure, ...] = ()


_FILE = Path(__file__).with_name("networks.yaml")
#: By the last part of the name of a builder's module.
_DEPARTURES = read_yaml(_FILE.with_name("departures.yaml"))


def _spec(name: str, facts: Mapping[str, Yaml]) -> ModelSpec:
    module = str(facts.get("builder")).partition(":")[0].rpartition(".")[2]
    known = {"name": name, "departures": _DEPARTURES.get(module, ()), **facts}
    return validated(ModelSpec, known, f"{_FILE}: {name}")


SPECS = [_spec(name, facts) for name, facts in read_yaml(_FILE).items()]
