"""TensorFlow's operators that tf2onnx doesn't know, written in those of ONNX."""

from functools import cache
from typing import Any

import numpy as np


@cache
def register() -> None:
    """Have tf2onnx write ``Erfc``, which is in the exact form of GELU."""
    from tf2onnx import utils
    from tf2onnx.handler import tf_op

    @tf_op("Erfc")
    class ComplementaryErrorFunction:
        @classmethod
        def version_9(cls, ctx: Any, node: Any, **_: object) -> None:
            """Write 1 - erf(x)."""
            x, output, name = node.input[0], node.output, node.name
            shape, dtype = ctx.get_shape(output[0]), ctx.get_dtype(output[0])
            ctx.remove_node(name)
            error_function = ctx.make_node("Erf", [x], shapes=[shape], dtypes=[dtype])
            one = ctx.make_const(
                utils.make_name(f"{name}/one"), np.array(1, utils.map_onnx_to_numpy_type(dtype))
            )
            difference = [one.output[0], error_function.output[0]]
            ctx.make_node(
                "Sub", difference, name=name, outputs=output, shapes=[shape], dtypes=[dtype]
            )
