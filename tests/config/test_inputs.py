import pytest
from pydantic import ValidationError

from mer_keras.config.inputs import Clip, input_key


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


def test_messages_name_a_key_and_where_it_stands():
    assert input_key("flow.method") == "'flow.method' of the input (inputs.NAME.flow.method)"
