"""Writes a network in another format, after that gave the network's own probabilities."""

import hashlib
import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mer_keras.arrays import shape_text
from mer_keras.errors import UserError
from mer_keras.exporting.formats import ExportFormat, get_format
from mer_keras.layers.conversion import converting
from mer_keras.provenance import installed_version, versions
from mer_keras.whole_files import write_whole

#: Version of the description that stands beside an exported network.
DESCRIPTION_FORMAT = "mer-keras-export/1"
#: Greatest difference of a probability between Keras and the exported network.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Exported:
    """An exported network.

    Attributes:
        path: the file, or the folder of a saved model.
        description: the JSON file beside it.
        greatest_difference: of a probability of the probe, from Keras' own.
        size: bytes of all files, without the description.
        sha256: of the file; of a folder, of the digests and names of its files.
    """

    path: Path
    description: Path
    greatest_difference: float
    size: int
    sha256: str


def export_network(
    network: Any,
    probe: Sequence[np.ndarray],
    format_name: str,
    path: Path,
    facts: Mapping[str, object] | None = None,
) -> Exported:
    """Export a network, run what was exported on a probe, and keep it if both agree.

    Nothing is left at ``path`` where they don't.

    Args:
        network: Keras' functional network of float32.
        probe: for each input, in the network's order, clips (batch, ...) float32 in the range of
            the clips that the network is for.
        format_name: ``onnx``, ``litert``, ``saved_model`` or ``keras``.
        path: the file to write, with the format's suffix; of ``saved_model`` a folder.
        facts: JSON values for the description, such as the names of the classes.

    Raises:
        UserError: the format needs what isn't installed, can't hold this network, or gives other
            probabilities; or ``path`` doesn't fit it.
        OSError: the disk is full or read-only.
    """
    form = get_format(format_name)
    _check_path(path, form)
    form.check_installed()
    inputs = [np.asarray(array, np.float32) for array in probe]
    names = [tensor.name for tensor in network.inputs]
    _check_probe(network, inputs)
    expected = np.asarray(network(inputs if len(inputs) > 1 else inputs[0], training=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        # The folder is beside the file, so that moving it is one step.
        temporary = Path(folder) / path.name
        probabilities = _probabilities_of_written(network, inputs, names, form, temporary)
        difference = _difference(network, form, expected, probabilities)
        sha256, size = _digest(temporary)
        description = _description(network, names, form, path.name, facts or {})
        description |= {"sha256": sha256, "bytes": size, "greatest_difference": difference}
        temporary.replace(path)
    beside = path.with_name(f"{path.name}.json")
    write_whole(beside, (json.dumps(description, indent=2, allow_nan=False) + "\n").encode())
    return Exported(path, beside, difference, size, sha256)


def _check_path(path: Path, form: ExportFormat) -> None:
    if form.suffix and path.suffix != form.suffix:
        raise UserError(f"{path}: a file of format {form.name} must end with {form.suffix}")
    if path.is_dir() and (form.suffix or any(path.iterdir())):
        raise UserError(f"{path}: there is a folder already; name another path or remove it")
    if not form.suffix and path.is_file():
        raise UserError(f"{path}: {form.name} is a folder, and there is a file already")


def _check_probe(network: Any, inputs: Sequence[np.ndarray]) -> None:
    expected = [tuple(tensor.shape[1:]) for tensor in network.inputs]
    shapes = [array.shape[1:] for array in inputs]
    if shapes != expected:
        raise UserError(
            f"network {network.name!r} reads clips of shape {shape_text(tuple(expected))}; "
            f"the probe has {shape_text(tuple(shapes))}"
        )


def _probabilities_of_written(
    network: Any,
    inputs: Sequence[np.ndarray],
    names: Sequence[str],
    form: ExportFormat,
    path: Path,
) -> np.ndarray:
    """Write the network and return the probabilities of the probe by what was written.

    Raises:
        UserError: the network's name, the format and why one can't hold the other.
    """
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    try:
        with converting():
            form.write(network, path)
        return form.open(path, names)(inputs)
    except OSError:
        raise
    except Exception as error:  # Converters and runtimes raise many kinds.
        reason = " ".join(str(error).split())[:400] or type(error).__name__
        raise UserError(
            f"network {network.name!r} can't be exported to {form.name}: {reason}"
        ) from error


def _difference(
    network: Any, form: ExportFormat, expected: np.ndarray, probabilities: np.ndarray
) -> float:
    """Greatest difference of a probability.

    Raises:
        UserError: it is above ``TOLERANCE``, or values are not finite.
    """
    same_shape = probabilities.shape == expected.shape
    difference = float(np.max(np.abs(probabilities - expected))) if same_shape else np.inf
    if not difference <= TOLERANCE:
        raise UserError(
            f"network {network.name!r} was not exported: {form.name} gives other probabilities, "
            f"by up to {difference:.2g} where {TOLERANCE:.0e} is allowed"
        )
    return difference


def _digest(path: Path) -> tuple[str, int]:
    """SHA-256 and bytes of a file, or of all files of a folder in the order of their names."""
    if path.is_file():
        content = path.read_bytes()
        return hashlib.sha256(content).hexdigest(), len(content)
    digest, size = hashlib.sha256(), 0
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        sha256, file_size = _digest(file)
        digest.update(f"{sha256}  {file.relative_to(path).as_posix()}\n".encode())
        size += file_size
    return digest.hexdigest(), size


def _description(
    network: Any, names: Sequence[str], form: ExportFormat, file: str, facts: Mapping[str, object]
) -> dict[str, object]:
    shapes = [[None, *tensor.shape[1:]] for tensor in network.inputs]
    inputs = [
        {"name": name, "shape": shape, "dtype": "float32"}
        for name, shape in zip(names, shapes, strict=True)
    ]
    return {
        "format": DESCRIPTION_FORMAT,
        "file": file,
        "file_format": form.name,
        "network": network.name,
        "inputs": inputs,
        "output": {"shape": [None, network.output_shape[-1]], "meaning": "share of each class"},
        **facts,
        "versions": versions() | {name: installed_version(name) for name in form.modules},
    }
