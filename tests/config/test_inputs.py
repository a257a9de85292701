import pytest
from pydantic import ValidationError

from mer_keras.config.inputs import Clip, Magnification, input_key


def test_one_frame_is_taken_unless_a_number_is_given():
    assert Clip(kind="frames").frames == 1
    assert Clip(kind="frames", frames=9).frames == 9


@pytest.mark.parametrize("values", [{}, {"frames": None}])
def test_whole_clips_have_no_number_of_frames(values):
    clip = Clip(kind="frames", sampling="whole", **values)
    assert clip.frames is None
    assert Clip.model_validate(clip.model_dump(mode="json")) == clip


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"sampling": "whole", "frames": 1}, "'frames' must be left out, or null"),
        ({"sampling": "whole", "frames": 13}, "'frames' must be left out, or null"),
        ({"frames": None}, "must be a number with any other sampling"),
        ({"sampling": "interpolated", "frames": None}, "must be a number"),
        ({"kind": "flow", "sampling": "whole"}, "for kind 'frames', not for 'flow'"),
        ({"kind": "flow_image", "sampling": "whole"}, "for kind 'frames', not for 'flow_image'"),
        ({"sampling": "all"}, "around_apex"),
        ({"resize_to": 120}, "'resize_to' is for flow_image"),
        ({"kind": "flow_image", "size": 28, "resize_to": 20}, "no smaller than 'size'"),
    ],
)
def test_contradictions_are_refused(values, complaint):
    with pytest.raises(ValidationError, match=complaint):
        Clip.model_validate({"kind": "frames", **values})


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"alpha": 0}, "alpha"),
        ({"alpha": float("nan")}, "alpha"),
        ({"alpha": float("inf")}, "alpha"),
        ({"low": 0}, "low"),
        ({"low": float("nan")}, "low"),
        ({"high": float("inf")}, "high"),
        ({"fps": float("inf")}, "fps"),
        ({"fps": 0}, "fps"),
        ({"levels": -1}, "levels"),
        ({"wavelength_cutoff": 0.0, "pyramid": "laplacian"}, "wavelength_cutoff"),
        ({"pyramid": "laplace"}, "pyramid"),
        ({"temporal_filter": "box"}, "temporal_filter"),
        ({"ideal_mask": "half", "temporal_filter": "butterworth"}, "is for the filter 'ideal'"),
        ({"low": 3}, "band 3 to 2: expected low < high"),
        ({"low": 2}, "band 2 to 2: expected low < high"),
        ({"temporal_filter": "iir", "high": 1.1}, "high <= 1 for 'iir'"),
        ({"pyramid": "laplacian", "levels": 1}, "expected 2 levels or more, or 0"),
        ({"wavelength_cutoff": 16.0}, "are for a laplacian pyramid"),
        ({"outer_levels": True}, "are for a laplacian pyramid"),
        ({"pyramid": "laplacian", "levels": 0, "outer_levels": True}, "are for a laplacian"),
    ],
)
def test_impossible_magnification_is_refused(values, complaint):
    possible = {"alpha": 10, "low": 1, "high": 2}
    Magnification.model_validate(possible)
    with pytest.raises(ValidationError, match=complaint):
        Magnification.model_validate({**possible, **values})


@pytest.mark.parametrize(
    "values",
    [
        {"temporal_filter": "iir", "low": 0.4, "high": 1.0},
        {"pyramid": "laplacian", "levels": 1, "outer_levels": True},
        {"pyramid": "laplacian", "levels": 2, "wavelength_cutoff": 16.0},
        {"pyramid": "laplacian", "levels": 0},
        {"ideal_mask": "half", "before_crop": True},
        {"high": 1000.0},
    ],
)
def test_possible_magnification_is_accepted(values):
    Magnification.model_validate({"alpha": 10, "low": 1, "high": 2, **values})


def test_messages_name_a_key_and_where_it_stands():
    assert input_key("flow.method") == "'flow.method' of the input (inputs.NAME.flow.method)"
