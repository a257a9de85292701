"""Clips in which nothing moves: remarked, or left out where a policy says so.

Annotators mark an apex that is the onset, the frame that stands in for a missing one may be the
onset, a clip may have one frame, and two files may hold one picture. Flow of such a pair is zero
or noise, and a channel of noise that is stretched to the whole range looks like a motion.
"""

from collections.abc import Set

from mer_keras.clips.footage import UnusableClipError
from mer_keras.config.data import Policies

ONE_FRAME = "one frame stands for the whole clip, so that nothing moves"
SAME_FRAME = "onset and apex are one frame, so that nothing moves"
STILL_FLOW = "the flow is the same everywhere, so that nothing moves in the face"
#: All frames that were read hold one picture (see ``clip_frames``).
IDENTICAL, BLACK = "all frames are identical", "all frames are black"


def motionless(reason: str, policies: Policies) -> str:
    """Return the remark on a clip in which nothing moves.

    Args:
        reason: why nothing moves.
        policies: whether such clips are kept.

    Raises:
        UnusableClipError: the policy leaves such clips out.
    """
    if policies.motionless == "exclude":
        raise UnusableClipError(reason)
    return reason


def require_pictures(remarks: Set[str], policies: Policies) -> None:
    """Check that the frames that were read hold more than one picture.

    Args:
        remarks: what was noted of them.
        policies: whether clips without motion are kept.

    Raises:
        UnusableClipError: they are all alike, and the policy leaves such clips out.
    """
    for reason in (IDENTICAL, BLACK):
        if reason in remarks:
            motionless(reason, policies)
