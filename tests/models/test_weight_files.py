"""Files of weights are looked through before an array of them is read; no network is needed."""

import io
import struct
import zipfile

import h5py
import numpy as np
import pytest

from mer_keras.errors import UserError
from mer_keras.models import weight_files
from mer_keras.models.weight_files import check_h5, read_npz

MOST = 2**20


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def claiming(shape, values=b""):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + values


def packed(path, *members, compression=zipfile.ZIP_STORED, tail=b""):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    path.write_bytes(path.read_bytes() + tail)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_come_back_by_name(tmp_path, save):
    arrays = {"fc/kernel": np.ones((4, 3), "float32"), "channels": np.array(["u", "v", "strain"])}
    save(tmp_path / "w.npz", **arrays)
    read = read_npz(tmp_path / "w.npz")
    assert set(read) == set(arrays)
    np.testing.assert_array_equal(read["channels"], arrays["channels"])


@pytest.mark.parametrize(
    "content",
    [
        claiming("(1000000000000,)", bytes(8)),
        claiming("(-1,)", bytes(8)),
        claiming("(2,)", bytes(8)),
        b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10_000,
        b"\x93NUMPY\x09\x00",
        npy(np.zeros(2, "V9")),
        b"PK\x03\x04 an archive within the archive",
    ],
)
def test_fault_65_an_array_that_is_not_what_it_claims(tmp_path, content):
    with pytest.raises(UserError, match=r"w\.npz: not a plain \.npz"):
        read_npz(packed(tmp_path / "w.npz", ("a.npy", content)))


def test_fault_65_an_archive_that_claims_more_than_weights_can(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_files, "_ANY_RATIO", 10**4)
    bomb = packed(
        tmp_path / "w.npz", ("a.npy", npy(np.zeros(10**5))), compression=zipfile.ZIP_DEFLATED
    )
    with pytest.raises(UserError, match="claim to unpack to 800,128"):
        read_npz(bomb)
    monkeypatch.setattr(weight_files, "MOST_ARRAYS", 3)
    monkeypatch.setattr(weight_files, "MOST_ENTRY", 60)
    many = packed(tmp_path / "w.npz", *[(f"{n}.npy", npy(np.ones(1))) for n in range(9)])
    with pytest.raises(UserError, match="3 arrays at most"):
        read_npz(many)


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 99])
def test_something_behind_the_archive_is_refused(tmp_path, tail):
    with pytest.raises(UserError, match="no list of arrays at its end"):
        read_npz(packed(tmp_path / "w.npz", ("a.npy", npy(np.ones(1))), tail=tail))


def external_link(tree, other):
    tree["a"] = h5py.ExternalLink(str(other), "x")


def soft_link(tree, _):
    tree["b"] = h5py.SoftLink("/a")


def external_bytes(tree, other):
    tree.create_dataset("a", (3,), "f4", external=[(str(other), 0, 12)])


def virtual(tree, other):
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(str(other), "x", (3,))
    tree.create_virtual_dataset("a", layout)


def a_cycle(tree, _):
    tree.create_group("a")["b"] = tree["/"]


def texts(tree, _):
    tree.create_dataset("a", data=["x"], dtype=h5py.string_dtype())


def references(tree, _):
    tree.create_dataset("a", (1,), h5py.ref_dtype)


def claimed_size(tree, _):
    tree.create_dataset("a", (2**40,), "f4", chunks=(2**10,))


def packed_size(tree, _):
    tree.create_dataset("a", (2**30,), "f4", chunks=(2**10,), compression="gzip")


def many_small_ones(tree, _):
    for number in range(5):
        tree.create_dataset(str(number), (2**17,), "f4", chunks=(2**10,))


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (external_link, "is a link"),
        (soft_link, "is a link"),
        (external_bytes, "lie in other files"),
        (virtual, "lie in other files"),
        (a_cycle, "or a group that holds itself"),
        (texts, "no array of numbers"),
        (references, "no array of numbers"),
        (claimed_size, "declares arrays of 4,398,046,511,104 bytes, expected 1,048,576"),
        (packed_size, "declares arrays of"),
        (many_small_ones, "declares arrays of 2,621,440"),
    ],
)
def test_fault_44_65_hdf5_that_leads_elsewhere_or_claims_more(tmp_path, build, complaint):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.ones(3)
    file = tmp_path / "w.weights.h5"
    with h5py.File(file, "w") as tree:
        build(tree, tmp_path / "other.h5")
    with pytest.raises(UserError, match=complaint):
        check_h5(file, MOST)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_fault_66_what_is_no_hdf5_is_told(tmp_path, content):
    (tmp_path / "w.weights.h5").write_bytes(content)
    with pytest.raises(UserError, match="can't be read as HDF5"):
        check_h5(tmp_path / "w.weights.h5", MOST)


def test_hdf5_of_arrays_alone_is_taken(tmp_path):
    with h5py.File(tmp_path / "w.weights.h5", "w") as tree:
        tree["layers/fc/vars/0"] = np.ones((4, 3), "float32")
    check_h5(tmp_path / "w.weights.h5", MOST)
