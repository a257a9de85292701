"""The same weights give the same outputs in PyTorch: torchvision's 3-D ResNet-18, and ResNet-10.

Skipped where PyTorch is not installed.
"""

import numpy as np
import pytest

from mer_keras.models import registry
from tests.models.small import ramp, set_ramp_weights

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")


def tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array))


def channels_first(kernel):
    """(..., in, out) -> (out, in, ...)."""
    kernel = np.asarray(kernel)
    return kernel.transpose(kernel.ndim - 1, kernel.ndim - 2, *range(kernel.ndim - 2))


def norm_of(layer):
    gamma, beta, mean, variance = (tensor(np.array(w)) for w in layer.weights)
    return {"weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance}


def test_resnet3d_18_is_torchvisions():
    video = pytest.importorskip("torchvision.models.video")
    ours = registry.build("resnet3d_18", (6, 36, 40, 3), 5)
    set_ramp_weights(ours)
    theirs = video.r3d_18(weights=None, num_classes=5).eval()
    state = {}

    def convolution(place, name):
        state[f"{place}.weight"] = tensor(channels_first(ours.get_layer(name).kernel))

    def norm(place, name):
        for key, value in norm_of(ours.get_layer(name)).items():
            state[f"{place}.{key}"] = value

    convolution("stem.0", "stem")
    norm("stem.1", "stem_norm")
    for stage in (1, 2, 3, 4):
        for index, letter in enumerate("ab"):
            ours_block, theirs_block = f"block{stage}{letter}", f"layer{stage}.{index}"
            for number, half in ((1, "first"), (2, "second")):
                convolution(f"{theirs_block}.conv{number}.0", f"{ours_block}_{half}")
                norm(f"{theirs_block}.conv{number}.1", f"{ours_block}_{half}_norm")
            if stage > 1 and letter == "a":
                convolution(f"{theirs_block}.downsample.0", f"{ours_block}_shortcut")
                norm(f"{theirs_block}.downsample.1", f"{ours_block}_shortcut_norm")
    kernel, bias = ours.get_layer("classes").get_weights()
    state["fc.weight"], state["fc.bias"] = tensor(kernel.T), tensor(bias)
    loaded = theirs.load_state_dict(state, strict=False)
    assert not loaded.unexpected_keys
    assert all(key.endswith("num_batches_tracked") for key in loaded.missing_keys)
    clips = ((ramp((2, 6, 36, 40, 3)) + 1) / 2).astype("float32")
    with torch.no_grad():
        expected = theirs(tensor(clips.transpose(0, 4, 1, 2, 3))).softmax(1).numpy()
    np.testing.assert_allclose(ours.predict(clips, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize("attention", ["none", "micro"])
def test_resnet10_is_the_pre_activation_network_of_caffe(attention):
    """Written as Caffe computes: padding on both sides, pooling windows cut at the far edge."""
    from torch.nn import functional as f

    ours = registry.build("micro_attention", (64, 64, 1), 5, attention=attention)
    set_ramp_weights(ours)

    def convolution(x, name, stride, pad):
        layer = ours.get_layer(name)
        bias = tensor(np.array(layer.bias)) if layer.use_bias else None
        weight = tensor(channels_first(layer.kernel))
        return f.conv2d(x, weight, bias, stride=stride, padding=pad)

    def norm(x, name):
        n = norm_of(ours.get_layer(name))
        return f.batch_norm(
            x, n["running_mean"], n["running_var"], n["weight"], n["bias"], eps=1e-5
        )

    images = ((ramp((2, 64, 64, 1)) + 1) / 2).astype("float32")
    with torch.no_grad():
        x = norm(tensor(images.transpose(0, 3, 1, 2)), "input_norm")
        x = f.relu(norm(convolution(x, "stem", 2, 3), "stem_norm"))
        x = f.max_pool2d(x, 3, stride=2, ceil_mode=True)
        for number in (1, 2, 3, 4):
            name = f"block{number}"
            stride = 1 if number == 1 else 2
            active = x if number == 1 else f.relu(norm(x, f"{name}_norm"))
            shortcut = x if number == 1 else convolution(active, f"{name}_expand", 2, 0)
            first = convolution(active, f"{name}_first", stride, 1)
            first = f.relu(norm(first, f"{name}_first_norm"))
            second = convolution(first, f"{name}_second", 1, 1)
            x = shortcut + second
            if attention == "micro":
                kernel = tensor(np.array(ours.get_layer(f"{name}_attention").kernel).T)
                joined = torch.cat([shortcut, first, second], 1)
                mapped = f.conv2d(joined, kernel[:, :, None, None])
                x = x + x * mapped.mean(1, keepdim=True).sigmoid()
        x = f.relu(norm(x, "last_norm")).mean((2, 3))
        kernel, bias = ours.get_layer("classes").get_weights()
        expected = (x @ tensor(kernel) + tensor(bias)).softmax(1).numpy()
    np.testing.assert_allclose(ours.predict(images, verbose=0), expected, atol=1e-5)
