"""What is known of each network, from ``networks.yaml``, to be read without Keras."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from mer_keras.arrays import Shape
from mer_keras.config.strict import StrictModel
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import read_yaml
from mer_keras.flow_channels import FlowOrder


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
        published_parameters: as printed; ``None`` where nothing is.
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


_FILE = Path(__file__).with_name("networks.yaml")
SPECS = [
    validated(ModelSpec, {"name": name, **facts}, f"{_FILE}: {name}")
    for name, facts in read_yaml(_FILE).items()
]
