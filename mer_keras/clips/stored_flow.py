"""Flow images that the publishers of a database computed: read, and brought to (u, v, strain)."""

from collections.abc import Mapping

import cv2
import numpy as np

from mer_keras.clips import frames
from mer_keras.clips.footage import UnusableClipError
from mer_keras.clips.headers import image_format
from mer_keras.clips.motionless import STILL_FLOW, motionless
from mer_keras.clips.normalisation import Pixels, normalise_clip
from mer_keras.clips.sample import Sample
from mer_keras.clips.steps import Loaded
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip, input_key
from mer_keras.databases.samples import FlowImage
from mer_keras.errors import ConfigError, FrameError, did_you_mean
from mer_keras.flow_channels import FLOW_CHANNELS, FlowForm, Mirroring, in_flow_order

#: Stored images of each clip's flow, by sample id and name of the image.
FlowImages = Mapping[str, Mapping[str, FlowImage]]


def load_flow_image(
    sample: Sample, clip: Clip, policies: Policies, flow_images: FlowImages
) -> Loaded[Pixels]:
    """Read a flow image past the cache: such tiny files are read as fast as the cache's own.

    Args:
        sample: the clip.
        clip: what to load, of kind ``flow_image``.
        policies: what to do about an image in which nothing moves.
        flow_images: what the database says of its images.

    Returns:
        uint8 (size, size, 3) in 0..255, channels (u, v, strain), or what the file's red, green and
        blue are where the image holds something else; float32 where ``normalise`` changed values.

    Raises:
        UnusableClipError: the image has one channel, is turned by its EXIF data, or nothing moves
            and the policy says so.
        ConfigError: there is no image of this name, or nothing says what its channels are.
        FrameError: the file can't be read, or has another size than the config says.
    """
    stored = stored_image(sample, clip, flow_images)
    data = frames.read_bytes(stored.path)
    image = frames.decode(data, stored.path, gray=False)
    if image.shape[:2] != (clip.size, clip.size):
        height, width = image.shape[:2]
        raise FrameError(
            f"{stored.path}: {width}x{height} pixels, expected {clip.size}x{clip.size}: flow is "
            f"not resized, since its values are displacements; set {input_key('size')}"
        )
    image = np.ascontiguousarray(image[..., ::-1])  # OpenCV has blue, green, red.
    remarks = [frames.misnamed(stored.path, image_format(data))]
    if is_flow(stored):
        image = in_flow_order(image, stored.channels)
        if np.ptp(image) and (image == image[..., :1]).all():
            raise UnusableClipError(f"{stored.path.name}: gray, expected three channels of flow")
        if _is_turned(data):
            raise UnusableClipError(
                f"{stored.path.name}: its EXIF data turns or mirrors the picture, and the "
                "displacements in it stay as they were: store it without"
            )
        if not np.ptp(image[..., :2], axis=(0, 1)).any():
            remarks.append(motionless(STILL_FLOW, policies))
    if clip.resize_to is not None:
        side = (clip.resize_to, clip.resize_to)
        image = np.asarray(cv2.resize(image, side, interpolation=cv2.INTER_LINEAR), np.uint8)
    return Loaded(normalise_clip(image, clip.normalise), tuple(filter(None, remarks)))


def stored_image(sample: Sample, clip: Clip, flow_images: FlowImages) -> FlowImage:
    """Return the image of a clip that a recipe names, with what its channels are.

    Raises:
        ConfigError: see ``load_flow_image``.
    """
    images = flow_images.get(sample.sample_id, {})
    if clip.image is not None and clip.image not in images:
        raise ConfigError(
            f"clip {sample.sample_id!r} has no flow image {clip.image!r}"
            f"{did_you_mean(clip.image, images)}, expected {', '.join(images) or 'none'}: change "
            f"{input_key('image')}"
        )
    if not images:
        if clip.channel_order is None:
            raise ConfigError(
                f"clip {sample.sample_id!r}: nothing says what red, green and blue of its flow "
                f"image are: set {input_key('channel_order')}, such as [u, v, strain]"
            )
        return FlowImage(sample.path, clip.channel_order)
    stored = images[clip.image] if clip.image is not None else next(iter(images.values()))
    if clip.channel_order is not None and clip.channel_order != stored.channels:
        raise ConfigError(
            f"clip {sample.sample_id!r}: red, green and blue of its flow image are "
            f"{', '.join(stored.channels)} by its database and {', '.join(clip.channel_order)} by "
            f"the config: leave out {input_key('channel_order')}"
        )
    return stored


def _is_turned(data: bytes) -> bool:
    """Whether an image's EXIF data has OpenCV turn or mirror it."""
    if b"exif" not in data.lower():
        return False
    content = np.frombuffer(data, np.uint8)
    turned = cv2.imdecode(content, cv2.IMREAD_COLOR)
    as_stored = cv2.imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if turned is None or as_stored is None:
        return False  # The reader says that it is no image.
    return not np.array_equal(turned, as_stored)


def is_flow(stored: FlowImage) -> bool:
    """Say whether the channels of a stored image are u, v and strain, in whatever order."""
    return sorted(stored.channels) == sorted(FLOW_CHANNELS)


def form_of_stored(stored: FlowImage, clip: Clip) -> FlowForm:
    """Return what the channels of loaded flow images are.

    Horizontal flow that was scaled to 0..255 is mirrored about 127.5: the publishers scaled each
    channel by its own range, so that its zero is lost, and the channel of the mirrored face would
    be 255 minus this one, whatever its zero was. With ``normalise: unit`` it is mirrored about the
    middle of its own range, which is the same where the channel spans the whole range.
    ``standard`` mixes the channels' means, so that a clip can't be mirrored any more.
    """
    if not is_flow(stored):
        return FlowForm(stored.channels, ("unknown", "unknown", "unknown"))
    signs: Mapping[str, Mirroring] = {"none": "bytes", "unit": "range", "standard": "unknown"}
    return FlowForm(FLOW_CHANNELS, (signs[clip.normalise], "keep", "keep"))
