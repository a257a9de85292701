"""The formats that a network can be exported to, and how each is run again."""

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mer_keras.errors import UserError, did_you_mean
from mer_keras.exporting import operators

#: From arrays of a network's inputs, in its order, to probabilities (clips, classes) float32.
Runner = Callable[[Sequence[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class ExportFormat:
    """A format.

    Attributes:
        name: as users give it.
        suffix: of the file; empty where it is a folder.
        write: writes a Keras network to a path.
        open: makes a runner of what was written, by the program that it was written for.
        modules: that are needed beside Keras.
    """

    name: str
    suffix: str
    write: Callable[[Any, Path], None]
    open: Callable[[Path, Sequence[str]], Runner]
    modules: tuple[str, ...] = ()

    def check_installed(self) -> None:
        """Check that what the format needs is installed.

        Raises:
            UserError: it isn't.
        """
        missing = [module for module in self.modules if not _can_import(module)]
        if missing:
            raise UserError(
                f"export to {self.name} needs {', '.join(missing)}: "
                "install the extra with pip install 'mer_keras[export]'"
            )


def get_format(name: str) -> ExportFormat:
    """Return a format by name.

    Raises:
        UserError: there is none of this name.
    """
    if name not in FORMATS:
        raise UserError(f"no format {name!r}{did_you_mean(name, FORMATS)}: {', '.join(FORMATS)}")
    return FORMATS[name]


def _can_import(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def _signature(network: Any) -> list[Any]:
    """Names, shapes and types of the inputs, in the structure in which the network takes them.

    Keras reads them from a network itself only once that has been called.
    """
    import keras

    def spec(tensor: Any) -> keras.InputSpec:
        shape = (None, *tensor.shape[1:])
        return keras.InputSpec(shape=shape, dtype=tensor.dtype, name=tensor.name)

    return [keras.tree.map_structure(spec, network.input)]


def _write_onnx(network: Any, path: Path) -> None:
    operators.register()
    network.export(path, format="onnx", verbose=False, input_signature=_signature(network))


def _open_onnx(path: Path, names: Sequence[str]) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(inputs: Sequence[np.ndarray]) -> np.ndarray:
        (probabilities,) = session.run(None, dict(zip(names, inputs, strict=True)))
        return np.asarray(probabilities)

    return run


def _write_litert(network: Any, path: Path) -> None:
    network.export(path, format="litert", verbose=False, input_signature=_signature(network))


def _open_litert(path: Path, names: Sequence[str]) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    details = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}

    def run(inputs: Sequence[np.ndarray]) -> np.ndarray:
        # The file has a batch of one clip.
        for name, array in zip(names, inputs, strict=True):
            interpreter.resize_tensor_input(_litert_index(details, name), array.shape)
        try:
            interpreter.allocate_tensors()
        except RuntimeError as error:
            foreign = sorted(set(re.findall(r"Flex(\w+)", str(error))))
            if foreign:
                raise UserError(
                    f"it needs TensorFlow's own operator {', '.join(foreign)}, which LiteRT lacks"
                ) from error
            raise
        for name, array in zip(names, inputs, strict=True):
            interpreter.set_tensor(_litert_index(details, name), array)
        interpreter.invoke()
        output = interpreter.get_output_details()[0]["index"]
        return np.array(interpreter.get_tensor(output))

    return run


def _litert_index(details: dict[str, int], name: str) -> int:
    """Place of an input, which LiteRT calls ``serving_default_NAME:0``."""
    if len(details) == 1:
        return next(iter(details.values()))
    return next(index for full, index in details.items() if re.search(rf"_{name}:\d+$", full))


def _write_saved_model(network: Any, path: Path) -> None:
    network.export(path, format="tf_saved_model", verbose=False)


def _open_saved_model(path: Path, names: Sequence[str]) -> Runner:
    import keras

    layer = keras.layers.TFSMLayer(path, call_endpoint="serve")

    def run(inputs: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(layer(list(inputs) if len(inputs) > 1 else inputs[0]))

    return run


def _write_keras(network: Any, path: Path) -> None:
    network.save(path)


def _open_keras(path: Path, names: Sequence[str]) -> Runner:
    import keras

    network = keras.saving.load_model(path, compile=False)

    def run(inputs: Sequence[np.ndarray]) -> np.ndarray:
        return np.asarray(network(list(inputs) if len(inputs) > 1 else inputs[0], training=False))

    return run


FORMATS = {
    entry.name: entry
    for entry in (
        ExportFormat("onnx", ".onnx", _write_onnx, _open_onnx, ("tf2onnx", "onnx", "onnxruntime")),
        ExportFormat("litert", ".tflite", _write_litert, _open_litert, ("ai_edge_litert",)),
        ExportFormat("saved_model", "", _write_saved_model, _open_saved_model),
        ExportFormat("keras", ".keras", _write_keras, _open_keras),
    )
}
