"""Targets that are numbers: weights as ``.npz`` and as HDF5."""

import io

import h5py
import numpy as np

from mer_keras.errors import UserError
from mer_keras.models.weight_files import check_h5, read_npz
from tests.fuzz.mutation import mutated, mutated_zip, with_numbers

#: Bytes that the arrays of a file may declare.
_MOST_H5 = 2**24


def npz_target(folder):
    """Archives of arrays, packed and not, and the headers of their arrays."""
    arrays = {"fc/kernel": np.ones((4, 3), "float32"), "fc/bias": np.zeros(3)}
    seeds = []
    for save in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        save(buffer, **arrays, channels=np.array(["u", "v", "strain"]))
        seeds.append(buffer.getvalue())
    file = folder / "w.npz"

    def read(data):
        file.write_bytes(data)
        read_npz(file)

    def change(rng, data):
        return mutated_zip(rng, data) if rng.random() < 0.7 else with_numbers(rng, data)

    return seeds, change, read


def h5_target(folder):
    """HDF5 as Keras writes it, read as Keras reads it."""
    file = folder / "w.weights.h5"
    with h5py.File(file, "w") as tree:
        for name, shape in (("layers/dense/vars/0", (4, 3)), ("layers/dense/vars/1", (3,))):
            tree[name] = np.ones(shape, "float32")
        tree.create_dataset(
            "layers/conv/vars/0", (64, 64), "float32", compression="gzip", chunks=(8, 8)
        )
        tree["layers/dense"].attrs["name"] = "dense"
    seeds = [file.read_bytes()]

    def read(data):
        file.write_bytes(data)
        check_h5(file, _MOST_H5)
        try:
            with h5py.File(file, "r") as tree:
                tree.visititems(_read_values)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            # What h5py raises on damaged values is the file's fault for ``load_weights`` too.
            raise UserError(str(error)) from error

    def change(rng, data):
        return mutated(rng, data) if rng.random() < 0.3 else with_numbers(rng, data)

    return seeds, change, read


def _read_values(_, node):
    if isinstance(node, h5py.Dataset):
        np.array(node)
