"""Weights from elsewhere: what is taken, and what is refused without running anything."""

import json
import pickle
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest

h5py = pytest.importorskip("h5py")
keras = pytest.importorskip("keras")
from mer_keras.clips.assemble import load_clips  # noqa: E402
from mer_keras.config.inputs import Clip  # noqa: E402
from mer_keras.databases.samples import FlowImage, make_samples  # noqa: E402
from mer_keras.errors import MerKerasError, UserError  # noqa: E402
from mer_keras.flow_channels import FLOW_CHANNELS  # noqa: E402
from mer_keras.models import registry  # noqa: E402
from mer_keras.models.ststnet import from_streams  # noqa: E402
from mer_keras.models.weights import fits, fold_weights, load_weights, weights_digest  # noqa: E402


@pytest.fixture
def network():
    return registry.build("ststnet")


def arrays_of(network):
    return {v.path: np.array(v) for v in network.weights}


def state(seed=0):
    """Tensors of the authors' PyTorch network, at random."""
    rng = np.random.default_rng(seed)
    tensors = {"fc.weight": rng.normal(size=(3, 400)) * 0.05, "fc.bias": rng.normal(size=3)}
    for i, filters in enumerate((3, 5, 8), 1):
        tensors |= {
            f"conv{i}.weight": rng.normal(size=(filters, 3, 3, 3)) * 0.2,
            f"conv{i}.bias": rng.normal(size=filters),
            f"bn{i}.weight": rng.normal(size=filters),
            f"bn{i}.bias": rng.normal(size=filters),
            f"bn{i}.running_mean": rng.normal(size=filters),
            f"bn{i}.running_var": rng.uniform(0.5, 2, filters),
            f"bn{i}.num_batches_tracked": np.array(7),
        }
    return {name: np.asarray(value, "float32") for name, value in tensors.items()}


def naive_forward(tensors, image):
    """The PyTorch network on one (28, 28, 3) image, in loops."""
    x = image.transpose(2, 0, 1)
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2)])
    streams = []
    for i in (1, 2, 3):
        kernel, bias = tensors[f"conv{i}.weight"], tensors[f"conv{i}.bias"]
        maps = np.empty((len(kernel), 30, 30))
        for r in range(30):
            for c in range(30):
                patch = padded[:, r : r + 3, c : c + 3]
                maps[:, r, c] = np.tensordot(kernel, patch, 3) + bias
        maps = np.maximum(maps, 0)
        spread = np.sqrt(tensors[f"bn{i}.running_var"] + 1e-5)
        scale = tensors[f"bn{i}.weight"] / spread
        shift = tensors[f"bn{i}.bias"] - tensors[f"bn{i}.running_mean"] * scale
        maps = maps * scale[:, None, None] + shift[:, None, None]
        maps = np.pad(maps, [(0, 0), (1, 1), (1, 1)], constant_values=-np.inf)
        pooled = [
            [maps[:, 3 * r : 3 * r + 3, 3 * c : 3 * c + 3].max(axis=(1, 2)) for c in range(10)]
            for r in range(10)
        ]
        streams.append(np.array(pooled).transpose(2, 0, 1))
    x = np.concatenate(streams).reshape(16, 5, 2, 5, 2).mean(axis=(2, 4)).reshape(-1)
    logits = tensors["fc.weight"] @ x + tensors["fc.bias"]
    return np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()


def test_pytorch_tensors_give_the_pytorch_output(network, tmp_path):
    tensors = state()
    np.savez(tmp_path / "w.npz", **tensors)
    load_weights(network, tmp_path / "w.npz")
    images = np.random.default_rng(1).uniform(0, 1, (3, 28, 28, 3)).astype("float32")
    # The authors' kernels read what OpenCV gives: strain, v, u.
    expected = [naive_forward(tensors, image[..., ::-1]) for image in images]
    np.testing.assert_allclose(network.predict(images, verbose=0), expected, atol=1e-4)


@pytest.mark.parametrize("suffix", [".npz", ".weights.h5"])
def test_own_layout_round_trip(network, tmp_path, suffix):
    file = tmp_path / f"w{suffix}"
    other = registry.build("ststnet")
    if suffix == ".npz":
        np.savez(file, **arrays_of(other))
    else:
        other.save_weights(file)
    load_weights(network, file)
    for path, value in arrays_of(other).items():
        np.testing.assert_array_equal(arrays_of(network)[path], value)


ORDERS = [("strain", "v", "u"), ("u", "v", "strain"), ("v", "strain", "u")]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("layout", ["authors", "own"])
def test_fault_54_weights_of_any_order_give_the_same_on_stored_and_on_computed_flow(
    network, tmp_path, order, layout
):
    """Kernels that were trained on an order see it, whichever way the images come in.

    The images are handed over once as the files of a database, and once as an array (u, v, strain),
    as computed flow is. What is expected is the authors' network, in loops, on the files as OpenCV
    reads them, if its order is OpenCV's.
    """
    tensors = state()
    # Without an order, nothing is exchanged.
    arrays = from_streams(tensors) if layout == "own" else dict(tensors)
    if layout == "own" or order != ("strain", "v", "u"):
        arrays["channels"] = np.array(order)
    np.savez(tmp_path / "w.npz", **arrays)
    load_weights(network, tmp_path / "w.npz")

    computed = np.random.default_rng(1).integers(0, 3, (2, 28, 28, 3)).astype("uint8")
    images, rows = {}, []
    for number, image in enumerate(computed):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), image[..., ::-1])  # The file has u, v, strain as red, green, blue.
        row = {"database": "d", "subject": "s", "clip": str(number), "path": str(path)}
        rows.append({**row, "emotion": "surprise", "data_kind": "public"})
        images[f"d/s/{number}"] = {"onset_apex": FlowImage(path, FLOW_CHANNELS)}
    table = replace(make_samples(rows, source="test"), flow_images=images)
    stored = load_clips(table, Clip(kind="flow_image", size=28)).arrays

    of_stored = network.predict(stored, verbose=0)
    of_computed = network.predict(computed.astype("float32"), verbose=0)
    np.testing.assert_allclose(of_stored, of_computed, atol=1e-6)
    position = ["uvs".index(name[0]) for name in order]
    expected = [naive_forward(tensors, image[..., position].astype(float)) for image in computed]
    np.testing.assert_allclose(of_stored, expected, atol=1e-4)
    if order == ("strain", "v", "u"):
        opencv = cv2.imread(str(tmp_path / "0.png")).astype(float)
        np.testing.assert_allclose(of_stored[0], naive_forward(tensors, opencv), atol=1e-4)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (np.array(["u", "v"]), "expected three texts"),
        (np.array(["u", "v", "os"]), "expected each of u, v, strain once"),
        (np.array(["u", "u", "strain"]), "expected each of u, v, strain once"),
        (np.array([2, 1, 0]), "expected three texts"),
        (np.array("uvs"), "expected three texts"),
    ],
)
def test_fault_54_an_order_that_is_none_is_refused(network, tmp_path, entry, complaint):
    before = arrays_of(network)
    np.savez(tmp_path / "w.npz", **arrays_of(network), channels=entry)
    with pytest.raises(MerKerasError, match=complaint) as caught:
        load_weights(network, tmp_path / "w.npz")
    assert caught.value.exit_code == 2
    for path, value in arrays_of(network).items():
        np.testing.assert_array_equal(value, before[path])


def test_fault_54_an_order_for_a_network_of_other_inputs_is_refused(tmp_path):
    network = registry.build("resnet10", (32, 32, 1), 3)
    np.savez(tmp_path / "w.npz", **arrays_of(network), channels=np.array(["strain", "v", "u"]))
    with pytest.raises(UserError, match=r"which kernel of .* reads them can't be told"):
        load_weights(network, tmp_path / "w.npz")


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("code in a weight file was run",))


def hostile(tmp_path, kind, network):
    good = arrays_of(network)
    file = tmp_path / "w.npz"
    if kind == "pickle":
        file.write_bytes(pickle.dumps(Bomb()))
    elif kind == "object array":
        np.savez(file, **(good | {"fc/bias": np.array([Bomb()], dtype=object)}))
    elif kind == "truncated":
        np.savez(file, **good)
        file.write_bytes(file.read_bytes()[:500])
    elif kind == "missing":
        good.pop("fc/bias")
        np.savez(file, **good)
    elif kind == "shape":
        np.savez(file, **(good | {"fc/bias": np.zeros(4)}))
    elif kind == "not finite":
        np.savez(file, **(good | {"fc/bias": np.full(3, np.nan)}))
    elif kind == "half a pytorch state":
        np.savez(file, **{"conv1.weight": np.zeros((3, 3, 3, 3))})
    elif kind == "html":
        file = tmp_path / "w.weights.h5"
        file.write_text("<html>not names</html>")
    elif kind == "another suffix":
        file = tmp_path / "w.pth"
        file.write_bytes(pickle.dumps(Bomb()))
    elif kind == "whole model with a Lambda":
        file = tmp_path / "w.keras"
        code = "import os; os.abort()"
        with zipfile.ZipFile(file, "w") as archive:
            layer = {"class_name": "Lambda", "config": {"function": {"value": code}}}
            archive.writestr("config.json", json.dumps({"config": {"layers": [layer]}}))
            archive.writestr("metadata.json", "{}")
    elif kind.startswith("h5"):
        file = hostile_h5(tmp_path, kind, network)
    return file


def hostile_h5(tmp_path, kind, network):
    file = tmp_path / "w.weights.h5"
    source = registry.build("ststnet", classes=5) if kind == "h5 of another network" else network
    source.save_weights(file)
    if kind == "h5 truncated":
        file.write_bytes(file.read_bytes()[:3000])
        return file
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as other:
        other["x"] = np.full(3, 7.0, "float32")
    (tmp_path / "secret.bin").write_bytes(np.full(3, 7.0, "float32").tobytes())
    with h5py.File(file, "r+") as tree:
        names = []
        tree.visititems(
            lambda name, node: (
                names.append(name)
                if isinstance(node, h5py.Dataset) and node.shape == (3,) and "fc" in name
                else None
            )
        )
        for name in names or [n for n in _datasets(tree) if tree[n].shape == (3,)][-1:]:
            if kind == "h5 not finite":
                tree[name][...] = np.nan
            elif kind == "h5 external link":
                del tree[name]
                tree[name] = h5py.ExternalLink(str(secret), "x")
            elif kind == "h5 external storage":
                del tree[name]
                outside = [(str(tmp_path / "secret.bin"), 0, 12)]
                tree.create_dataset(name, (3,), "float32", external=outside)
    return file


def _datasets(tree):
    names = []
    tree.visititems(lambda n, node: names.append(n) if isinstance(node, h5py.Dataset) else None)
    return names


@pytest.mark.parametrize(
    "kind",
    [
        "pickle",
        "object array",
        "truncated",
        "missing",
        "shape",
        "not finite",
        "half a pytorch state",
        "html",
        "another suffix",
        "whole model with a Lambda",
        "h5 truncated",
        "h5 of another network",
        "h5 not finite",
        "h5 external link",
        "h5 external storage",
    ],
)
def test_fault_44_refused_and_the_network_is_left_as_it_was(network, tmp_path, kind):
    before = arrays_of(network)
    file = hostile(tmp_path, kind, network)
    with pytest.raises(UserError, match=file.name):
        load_weights(network, file)
    for path, value in before.items():
        np.testing.assert_array_equal(arrays_of(network)[path], value)


def test_one_file_a_fold(tmp_path):
    (tmp_path / "smic").mkdir()
    (tmp_path / "smic/s01.npz").write_bytes(b"x")
    assert fold_weights(tmp_path, "smic/s01") == tmp_path / "smic/s01.npz"
    assert fold_weights(tmp_path / "smic/s01.npz", "any") == tmp_path / "smic/s01.npz"
    with pytest.raises(UserError, match=r"smic/s02\.npz"):
        fold_weights(tmp_path, "smic/s02")


def test_fault_56_no_two_folds_read_one_file(tmp_path):
    for name in ("a/b_c", "a_b/c"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.npz").write_text(name)
    assert [fold_weights(tmp_path, name).read_text() for name in ("a/b_c", "a_b/c")] == [
        "a/b_c", "a_b/c",
    ]  # fmt: skip
    digest = weights_digest(tmp_path)
    (tmp_path / "a/b_c.npz").rename(tmp_path / "a_b/d.npz")
    assert weights_digest(tmp_path) != digest
    with pytest.raises(UserError, match="outside this folder"):
        fold_weights(tmp_path / "a", "../a_b/c")


def test_digest_follows_content_and_names(tmp_path):
    with pytest.raises(UserError, match="no weights"):
        weights_digest(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"x")
    digest = weights_digest(tmp_path)
    (tmp_path / "a.npz").write_bytes(b"y")
    assert weights_digest(tmp_path) != digest
    (tmp_path / "a.npz").write_bytes(b"x")
    assert weights_digest(tmp_path) == digest


def test_which_files_have_something_for_a_network(network, tmp_path):
    file = tmp_path / "w.npz"
    kernel = arrays_of(network)["streams/kernel"]
    for arrays, expected in (
        ({"streams/kernel": kernel}, True),
        ({"streams/kernel": kernel[..., :5], "other/kernel": kernel}, False),
    ):
        np.savez(file, **arrays)
        assert fits(file, network) == expected
    gray = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, name="stem")], name="gray"
    )
    np.savez(file, **{"gray/stem/kernel": np.ones((3, 3, 3, 4), "float32")})
    assert fits(file, gray), "three channels serve one"
    with pytest.raises(UserError, match=r"expected an \.npz file"):
        fits(tmp_path / "absent.npz", network)


def test_a_head_alone_is_no_start(tmp_path):
    layers = [keras.Input((8,)), keras.layers.Dense(3, name="classes")]
    np.savez(tmp_path / "w.npz", **{"classes/kernel": np.ones((8, 3), "float32")})
    assert not fits(tmp_path / "w.npz", keras.Sequential(layers))
