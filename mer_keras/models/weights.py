"""Weights brought by a user, loaded into networks that this package built. Nothing is executed.

Two file forms are taken: Keras' ``.weights.h5``, and ``.npz`` with one array a variable, named
by the variable's path (``streams/kernel``, ``fc/bias``); ``mer-keras models show NAME
--variables`` lists the paths and shapes of a network. An ``.npz`` with the tensors of the authors'
PyTorch STSTNet under their own names is converted on loading.

Networks that read optical flow have the channels (u, v, strain), and so have weights in the two
forms. Kernels that were trained on another order need to be brought to this one: an ``.npz`` says
its order in an entry ``channels``, three texts such as ``strain``, ``v``, ``u``. Of tensors under
their authors' own names the network's entry in ``networks.yaml`` says it, unless the file does.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mer_keras.bounded_files import open_plain
from mer_keras.errors import UserError
from mer_keras.flow_channels import FLOW_CHANNELS, FlowOrder, check_order, in_flow_order
from mer_keras.models.weight_files import MAX_BYTES, check_h5, read_npz

if TYPE_CHECKING:
    import keras

#: Endings of weight files, in the order in which a folder is searched for them.
SUFFIXES = (".weights.h5", ".npz")
#: A weight of a network takes four bytes, in a file perhaps eight; an optimiser keeps two more.
_H5_BYTES, _H5_ROOM = 24, 2**20
#: Entry of an ``.npz`` that says which order of the channels of flow its kernels expect.
CHANNELS = "channels"
#: Layer whose weights are tied to a number of classes.
HEAD = "classes"


def fold_weights(path: Path, fold: str) -> Path:
    """Return the weight file for a fold: ``path`` itself, or ``<fold>.npz`` in the folder ``path``.

    The parts of a fold's name are folders: the fold ``smic/s01`` reads ``smic/s01.npz``, so that no
    two folds read one file.

    Raises:
        UserError: no such file, or it would lie outside the folder.
    """
    if path.is_file():
        return path
    files = [path / f"{fold}{suffix}" for suffix in SUFFIXES]
    if any(not file.resolve().is_relative_to(path.resolve()) for file in files):
        raise UserError(f"{path}: the weights of fold {fold!r} would lie outside this folder")
    for file in files:
        if file.is_file():
            return file
    raise UserError(
        f"{path}: no weights for fold {fold!r}: expected a file, or a folder with "
        + " or ".join(str(file.relative_to(path)) for file in files)
    )


def load_weights(network: "keras.Model", file: Path) -> None:
    """Load a weight file into a network; on an error the network keeps its weights.

    Args:
        network: built.
        file: ``.weights.h5`` or ``.npz``.

    Raises:
        UserError: another form, a truncated file, a variable missing, unknown, not finite or of
            another shape.
    """
    if file.stat().st_size > MAX_BYTES:
        raise UserError(f"{file}: larger than {MAX_BYTES:,} bytes")
    if file.name.endswith(".weights.h5"):
        _load_h5(network, file)
    elif file.name.endswith(".npz"):
        _load_npz(network, file)
    else:
        raise UserError(f"{file}: expected a file ending in {' or '.join(SUFFIXES)}")


def _load_h5(network: "keras.Model", file: Path) -> None:
    check_h5(file, _H5_BYTES * network.count_params() + _H5_ROOM)
    before = network.get_weights()
    try:
        network.load_weights(file)
    except Exception as error:  # h5py and Keras raise many kinds for a file that doesn't fit.
        network.set_weights(before)
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{file}: can't be loaded into {network.name!r}: {reason}") from error
    if not all(np.isfinite(values).all() for values in network.get_weights()):
        network.set_weights(before)
        raise UserError(f"{file}: holds values that are not finite: get the file again")


def _load_npz(network: "keras.Model", file: Path) -> None:
    arrays = read_npz(file)
    declared = _declared_channels(arrays.pop(CHANNELS, None), file)
    if network.name == "ststnet" and "conv1.weight" in arrays:
        from mer_keras.models.registry import get_spec
        from mer_keras.models.ststnet import from_streams

        order = declared or get_spec(network.name).weights_channels or FLOW_CHANNELS
        try:
            arrays = from_streams(arrays, order)
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{file}: not the tensors of a PyTorch STSTNet (conv1 to 3, bn1 to 3, fc): {error}"
            ) from error
    elif declared:
        arrays = _in_flow_order(network, arrays, declared, file)
    assign_all({variable.path: variable for variable in network.weights}, arrays, str(file))


def assign_all(
    variables: "Mapping[str, keras.Variable]", arrays: Mapping[str, NDArray], name: str
) -> None:
    """Give variables the values of arrays; on an error all of them keep their own.

    Args:
        variables: by path.
        arrays: by the paths of the variables.
        name: names the file in messages.

    Raises:
        UserError: an array is missing, unknown, of another shape or holds other than numbers.
    """
    missing, unknown = sorted(set(variables) - set(arrays)), sorted(set(arrays) - set(variables))
    if missing or unknown:
        raise UserError(
            f"{name}: does not fit the network: missing {missing or 'nothing'}, unknown "
            f"{unknown or 'nothing'}"
        )
    for path, variable in variables.items():
        if arrays[path].shape != tuple(variable.shape):
            raise UserError(
                f"{name}: {path} has shape {arrays[path].shape}, expected {tuple(variable.shape)}"
            )
        _check_numbers(name, path, arrays[path])
    # All arrays fit, so that the network changes as a whole or not at all.
    for path, variable in variables.items():
        variable.assign(arrays[path].astype("float32"))


def carry(source: "keras.Model", target: "keras.Model", *, head: bool = False) -> list[str]:
    """Copy the weights of layers that two networks share, by name: the start of fine-tuning.

    Shared layers stand in both under one name with variables of the same shapes, such as those of
    ResNet-10 with and without attention units (Micro-attention, section 3.3).

    Args:
        source: the trained network.
        target: keeps its own weights elsewhere.
        head: copy the layer ``classes`` too; without, the target's classifier starts afresh.

    Returns:
        Names of the layers of ``target`` that have weights and kept their own.

    Raises:
        UserError: the networks share no layer that has weights.
    """
    of_source = {layer.name: layer.get_weights() for layer in source.layers}
    layers = [layer for layer in target.layers if layer.weights]
    own = []
    for layer in layers:
        arrays = of_source.get(layer.name, [])
        fits = [array.shape for array in arrays] == [weight.shape for weight in layer.weights]
        if fits and (head or layer.name != HEAD):
            layer.set_weights(arrays)
        else:
            own.append(layer.name)
    if len(own) == len(layers):
        raise UserError(
            f"{source.name!r} and {target.name!r} share no layer: weights can be carried between "
            "networks of one paper only"
        )
    return own


def carry_file(file: Path, network: "keras.Model") -> list[str]:
    """Copy from an ``.npz`` all arrays that fit the network: a start from somebody's weights.

    Arrays are named by the variable's path (see the module). The layer ``classes`` keeps its own.
    A kernel for RGB input serves a gray network: its three channels are added, which is what it
    does to a gray picture that is repeated three times.

    Args:
        file: such as ImageNet weights of ``resnet10`` (Micro-attention, section 3.3).
        network: keeps its own weights elsewhere.

    Returns:
        Paths of the network's variables that were not in the file or didn't fit.

    Raises:
        UserError: another form, values that are not finite, or no array fits.
    """
    if not file.is_file() or file.suffix != ".npz":
        raise UserError(f"{file}: expected an .npz file with one array a variable")
    arrays = read_npz(file)
    declared = _declared_channels(arrays.pop(CHANNELS, None), file)
    if declared:
        arrays = _in_flow_order(network, arrays, declared, file)
    own = []
    for variable in network.weights:
        array = _array_for(variable, arrays)
        if array is None or variable.path.split("/")[0] == HEAD:
            own.append(variable.path)
        else:
            _check_numbers(str(file), variable.path, array)
            variable.assign(array.astype("float32"))
    if len(own) == len(network.weights):
        raise UserError(
            f"{file}: holds nothing that fits {network.name!r}: mer-keras models show "
            f"{network.name} --variables lists the names and shapes"
        )
    return own


def fits(file: Path, network: "keras.Model") -> bool:
    """Say whether ``carry_file`` finds anything for a network; its weights may have no values.

    Raises:
        UserError: another form.
    """
    if not file.is_file() or file.suffix != ".npz":
        raise UserError(f"{file}: expected an .npz file with one array a variable")
    arrays = read_npz(file)
    return any(
        _array_for(variable, arrays) is not None
        for variable in network.weights
        if variable.path.split("/")[0] != HEAD
    )


def _array_for(variable: "keras.Variable", arrays: dict[str, NDArray]) -> NDArray | None:
    """Return a file's array for a variable, brought from three channels to one where it is so."""
    array, shape = arrays.get(variable.path), tuple(variable.shape)
    if array is not None and array.shape[-2:-1] == (3,) and shape[-2:-1] == (1,):
        array = array.sum(axis=-2, keepdims=True)  # (..., 3, filters) -> (..., 1, filters)
    return None if array is None or array.shape != shape else array


def weights_digest(path: Path) -> str:
    """Digest of a weight file, or of all weight files of a folder with their names.

    Raises:
        UserError: nothing there.
    """
    stored = sorted(file for suffix in SUFFIXES for file in path.rglob(f"*{suffix}"))
    files = [path] if path.is_file() else stored
    if not files:
        raise UserError(
            f"{path}: no weights: expected a file ending in {' or '.join(SUFFIXES)}, or a folder "
            "with one such file a fold"
        )
    digest = hashlib.blake2b(digest_size=16)
    for file in files:
        name = file.name if file == path else file.relative_to(path).as_posix()
        digest.update(name.encode())
        digest.update(_file_digest(file))
    return digest.hexdigest()


def _file_digest(file: Path) -> bytes:
    """Digest of a file that is read piece by piece.

    Raises:
        UserError: it is too large, no file, or can't be read.
    """
    try:
        with open_plain(file) as stream:
            if file.stat().st_size > MAX_BYTES:
                raise UserError(f"{file}: larger than {MAX_BYTES:,} bytes")
            return hashlib.file_digest(stream, hashlib.blake2b).digest()
    except OSError as error:
        raise UserError(f"{file}: can't be read: {error.strerror or error}") from error


def _declared_channels(entry: NDArray | None, file: Path) -> FlowOrder | None:
    """Return the order of channels that a file says its kernels expect; None if it says none.

    Raises:
        UserError: the entry is something else.
    """
    if entry is None:
        return None
    if entry.dtype.kind != "U" or entry.shape != (len(FLOW_CHANNELS),):
        raise UserError(
            f"{file}: entry {CHANNELS!r} of type {entry.dtype} and shape {entry.shape}, expected "
            f"three texts, each of {', '.join(FLOW_CHANNELS)} once"
        )
    return check_order([str(name) for name in entry], f"{file}: entry {CHANNELS!r}")


def _in_flow_order(
    network: "keras.Model", arrays: dict[str, NDArray], order: FlowOrder, file: Path
) -> dict[str, NDArray]:
    """Return a file's arrays with the kernel that reads the clips brought to (u, v, strain).

    Raises:
        UserError: it can't be told which kernel that is.
    """
    if order == FLOW_CHANNELS:
        return arrays
    first = [layer for layer in network.layers if layer.weights][:1]
    paths = [v.path for layer in first for v in layer.weights if v.path.endswith("/kernel")]
    if len(paths) != 1 or arrays.get(paths[0], np.empty(0)).shape[-2:-1] != (len(order),):
        raise UserError(
            f"{file}: says that its channels are {', '.join(order)}, and which kernel of "
            f"{network.name!r} reads them can't be told: bring the kernels to "
            f"{', '.join(FLOW_CHANNELS)} and leave the entry {CHANNELS!r} out"
        )
    kernel = np.swapaxes(arrays[paths[0]], -1, -2)  # (..., filters, channels)
    return {**arrays, paths[0]: np.swapaxes(in_flow_order(kernel, order), -1, -2)}


def _check_numbers(file: str, path: str, array: NDArray) -> None:
    if array.dtype.kind not in "fiu" or not np.all(np.isfinite(array)):
        raise UserError(f"{file}: {path} holds values that are not finite numbers")
