"""The drawing of a network: text in its box, and what is special stands out."""

from itertools import pairwise

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mer_keras.models.cost import LayerCost
from mer_keras.report.network_drawing import boxes_of, draw_boxes, fitted_size, network_svg

STANDARD = ("InputLayer", "Conv2D", "BatchNormalization", "ReLU", "Add", "Dense", "ConvLSTM2D")


def layer(name, kind, *inputs, parameters=0):
    return LayerCost(name, kind, inputs, (44, 44, 8), parameters, 0, 0)


LAYERS = [
    layer("clip", "InputLayer"),
    layer(
        "a_convolution_with_a_very_long_name_that_is_hard_to_fit", "Conv2D", "clip", parameters=80
    ),
    layer("norm", "BatchNormalization", "a_convolution_with_a_very_long_name_that_is_hard_to_fit"),
    layer("relu", "ReLU", "norm"),
    layer("unit", "MicroAttention", "relu", parameters=1_234_567),
    layer("sum", "Add", "unit", "clip"),
    layer("state", "ConvLSTM2D", "sum"),
    layer("late", "ReLU", "clip"),
]


def test_minor_layers_stand_in_the_box_before_them():
    boxes = boxes_of(LAYERS, STANDARD)
    assert [box.name for box in boxes][2:] == ["unit", "sum", "state", "late"]
    assert boxes[1].names[1:] == ("norm", "relu")
    assert boxes[1].lines[-2:] == ("80 parameters", "+ BatchNormalization, ReLU")
    assert boxes[-1].inputs == ("clip",), "what reads another layer has a box of its own"


def test_layers_of_papers_stand_out():
    special = {box.name for box in boxes_of(LAYERS, STANDARD) if box.special}
    assert special == {"unit", "state"}


def test_every_text_lies_in_its_box():
    figure = Figure(figsize=(11, 3))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 11), ylim=(3, 0))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for patch, texts in draw_boxes(axes, boxes_of(LAYERS, STANDARD)):
        box = patch.get_window_extent(renderer)
        extents = [text.get_window_extent(renderer) for text in texts]
        for text in extents:
            assert box.x0 <= text.x0 and text.x1 <= box.x1
            assert box.y0 <= text.y0 and text.y1 <= box.y1
        for above, below in pairwise(extents):
            assert above.y0 >= below.y0, "lines stand below one another"


def test_all_layers_are_named():
    svg = network_svg("a network", boxes_of(LAYERS, STANDARD))
    for text in ("MicroAttention", "1,234,567 parameters", "44x44x8", "reads clip", "a network"):
        assert text in svg


def test_longer_texts_have_smaller_letters():
    assert fitted_size("x" * 40, 3) < fitted_size("x" * 20, 3) <= fitted_size("x", 3)
