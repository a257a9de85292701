"""What is known of each network, to be read without Keras."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mer_keras.arrays import Shape


@dataclass(frozen=True)
class ModelSpec:
    """What is known of a network without building it.

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
        leaves_open: what the paper does not say, in a line.
        count_differs: why the published count is not the built one; empty where it is.
        preset: arguments of the builder that make it this network.
        focus: layer whose maps Grad-CAM weighs, the last one that still has positions.
        inputs: names of the experiment's inputs that it reads by default, in the order of
            ``input_shape``.
    """

    name: str
    title: str
    paper: str
    builder: str
    input_shape: Shape
    classes: int
    published_parameters: int | None
    built_parameters: int
    trainable_parameters: int
    multiply_accumulates: int
    activations: int
    leaves_open: str
    count_differs: str = ""
    preset: Mapping[str, object] = field(default_factory=dict)
    focus: str = ""
    inputs: tuple[str, ...] = ("clips",)


_ESANN = "Upadhya, Verlekar, ESANN 2025"
_NEUROCOMPUTING = "Wang, Peng, Bi, Chen, Neurocomputing 2020"
_MERANET = "Gajjala, Teja Reddy, Mukherjee, Dubey, MERANet 2020"
_DENSE = "Gan, Xiao, Zhu, Jain, Struc, Dense Connections and Mixed Attention"
_MODULE = "mer_keras.models."
_NO_READING = (
    "no reading of the text gives 28 and 55 and 6 million: tokens of one width can't differ"
)
_ROUNDED = "printed to two digits"

SPECS = (
    ModelSpec(
        name="shallow_convlstm",
        title="shallow ConvLSTM",
        paper="Shukla, Rai, Verlekar, ACCV 2022 workshops",
        builder=_MODULE + "shallow_convlstm:build",
        input_shape=(9, 90, 90, 1),
        classes=3,
        published_parameters=None,
        built_parameters=11_664_323,
        trainable_parameters=11_664_323,
        multiply_accumulates=2_661_189_264,
        activations=13_939_047,
        leaves_open="padding, which states are passed on, peepholes",
        focus="convlstm",
    ),
    ModelSpec(
        name="shallow_attention_conv3d",
        title="block-wise 3-D convolution and attention",
        paper=_ESANN,
        builder=_MODULE + "shallow_attention:build_conv3d",
        input_shape=(13, 90, 90, 1),
        classes=5,
        published_parameters=28_000_000,
        built_parameters=2_132_725,
        trainable_parameters=2_132_725,
        multiply_accumulates=67_919_264,
        activations=849_005,
        leaves_open="padding, pooling stride, width of a head",
        count_differs=_NO_READING,
        focus="convolution_each",
    ),
    ModelSpec(
        name="shallow_attention_conv2d",
        title="frame-wise 2-D convolution and attention",
        paper=_ESANN,
        builder=_MODULE + "shallow_attention:build_conv2d",
        input_shape=(13, 90, 90, 1),
        classes=5,
        published_parameters=55_000_000,
        built_parameters=6_165_269,
        trainable_parameters=6_165_269,
        multiply_accumulates=60_797_184,
        activations=1_731_801,
        leaves_open="padding, pooling stride, width of a head",
        count_differs=_NO_READING,
        focus="convolution_each",
    ),
    ModelSpec(
        name="shallow_attention_convlstm",
        title="2-D ConvLSTM and attention",
        paper=_ESANN,
        builder=_MODULE + "shallow_attention:build_convlstm",
        input_shape=(13, 90, 90, 1),
        classes=5,
        published_parameters=6_000_000,
        built_parameters=6_002_253,
        trainable_parameters=6_002_253,
        multiply_accumulates=3_887_138_560,
        activations=20_859_481,
        leaves_open="padding, pooling stride, width of a head",
        count_differs=_ROUNDED,
        focus="convlstm",
    ),
    ModelSpec(
        name="resnet10",
        title="ResNet-10",
        paper=_NEUROCOMPUTING,
        builder=_MODULE + "micro_attention:build",
        preset={"attention": "none"},
        input_shape=(224, 224, 1),
        classes=5,
        published_parameters=4_900_000,
        built_parameters=4_904_329,
        trainable_parameters=4_900_359,
        multiply_accumulates=810_043_904,
        activations=5_968_809,
        leaves_open="number of blocks (ten in the text, four by the count), gray or RGB input",
        count_differs=_ROUNDED,
        focus="last_norm_relu",
    ),
    ModelSpec(
        name="micro_attention",
        title="ResNet-10 with micro-attention",
        paper=_NEUROCOMPUTING,
        builder=_MODULE + "micro_attention:build",
        input_shape=(224, 224, 1),
        classes=5,
        published_parameters=5_900_000,
        built_parameters=5_948_809,
        trainable_parameters=5_944_839,
        multiply_accumulates=964_184_576,
        activations=6_725_614,
        leaves_open="number of blocks, gray or RGB input, the sigmoid on the map",
        count_differs=_ROUNDED,
        focus="last_norm_relu",
    ),
    ModelSpec(
        name="complex_attention",
        title="ResNet-10 with complex attention",
        paper=_NEUROCOMPUTING,
        builder=_MODULE + "micro_attention:build",
        preset={"attention": "complex"},
        input_shape=(224, 224, 1),
        classes=5,
        published_parameters=11_200_000,
        built_parameters=11_171_209,
        trainable_parameters=11_167_239,
        multiply_accumulates=1_734_887_936,
        activations=7_854_574,
        leaves_open="the unit is that of its reference 29; its form is inferred from the count",
        count_differs=_ROUNDED,
        focus="last_norm_relu",
    ),
    ModelSpec(
        name="resnet3d_18",
        title="3-D ResNet-18",
        paper=_MERANET,
        builder=_MODULE + "meranet:build",
        preset={"attention": "none"},
        input_shape=(16, 112, 112, 3),
        classes=3,
        published_parameters=33_167_811,
        built_parameters=33_177_411,
        trainable_parameters=33_167_811,
        multiply_accumulates=40_696_350_208,
        activations=78_225_691,
        leaves_open="shortcuts: convolutions by the count, zero padding by one sentence",
        focus="block4b_out",
    ),
    ModelSpec(
        name="meranet",
        title="MERANet",
        paper=_MERANET,
        builder=_MODULE + "meranet:build",
        input_shape=(16, 112, 112, 3),
        classes=3,
        published_parameters=33_547_552,
        built_parameters=33_353_491,
        trainable_parameters=33_343_891,
        multiply_accumulates=40_725_363_368,
        activations=95_402_111,
        leaves_open="reduction: 16 by the text, 8 by the count",
        count_differs="published with a head of 400 classes, its baseline with 3",
        focus="block4b_out",
    ),
    ModelSpec(
        name="dense_mixed_attention",
        title="dense connections and mixed attention",
        paper=_DENSE,
        builder=_MODULE + "dense_mixed_attention:build",
        input_shape=(112, 112, 3),
        classes=3,
        published_parameters=3_115_000,
        built_parameters=3_114_822,
        trainable_parameters=3_113_822,
        multiply_accumulates=2_239_456_420,
        activations=7_409_931,
        leaves_open="blocks, layers, filters, reduction; plan A fits the count, many others do",
        count_differs="printed to four digits; moving statistics are in it",
        focus="block3_out",
    ),
    ModelSpec(
        name="ststnet",
        title="STSTNet",
        paper="Liong, Gan, See, Khor, Huang, FG 2019",
        builder=_MODULE + "ststnet:build",
        input_shape=(28, 28, 3),
        classes=3,
        published_parameters=None,
        built_parameters=1_715,
        trainable_parameters=1_683,
        multiply_accumulates=390_000,
        activations=6_355,
        leaves_open="the recipe is that of the authors' PyTorch code",
        focus="streams",
    ),
)
