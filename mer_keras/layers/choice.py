"""One switch between the plain layers and the same functions made fast for processors.

A network's builder names the plain layer and asks here for its form::

    x = choose(layers.Dropout)(0.5, name="dropout")(x)

Both forms have the same weights under the same names in the same order, the same initial values
under the same seed, and the same outputs and gradients up to rounding. Only dropout of one half
drops other values than Keras' layer does under the same seed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum

import keras

from mer_keras import settings
from mer_keras.errors import UserError
from mer_keras.layers.counted_norm import CountedNormalization
from mer_keras.layers.dense_block import DenseBlock
from mer_keras.layers.fast.batch_norm import FastBatchNormalization, FastCountedNormalization
from mer_keras.layers.fast.convlstm import FastConvLSTM2D
from mer_keras.layers.fast.convolution import FastConv2D
from mer_keras.layers.fast.dense_block import FastDenseBlock
from mer_keras.layers.fast.dropout import FastDropout
from mer_keras.layers.fast.processor import on_tensorflow_processor
from mer_keras.layers.fast.response_norm import FastLocalResponseNorm
from mer_keras.layers.fast.streams import FastConvNormPool
from mer_keras.layers.fast.time_distributed import FastTimeDistributed
from mer_keras.layers.response_norm import LocalResponseNorm
from mer_keras.layers.streams import ConvNormPool

#: Plain layers with a fast form. Its constructor takes those arguments that networks here use.
FAST_FORMS: dict[type[keras.Layer], type[keras.Layer]] = {
    keras.layers.BatchNormalization: FastBatchNormalization,
    keras.layers.Conv2D: FastConv2D,
    keras.layers.ConvLSTM2D: FastConvLSTM2D,
    keras.layers.Dropout: FastDropout,
    keras.layers.TimeDistributed: FastTimeDistributed,
    ConvNormPool: FastConvNormPool,
    CountedNormalization: FastCountedNormalization,
    DenseBlock: FastDenseBlock,
    LocalResponseNorm: FastLocalResponseNorm,
}
_PLAIN_FORMS = {fast: plain for plain, fast in FAST_FORMS.items()}


class Form(StrEnum):
    """Which form of the layers networks are built of."""

    PLAIN = "plain"
    FAST = "fast"


_form: ContextVar[Form | None] = ContextVar("form", default=None)


@contextmanager
def layers_of_form(form: Form) -> Iterator[None]:
    """Build networks within the block of one form, whatever the environment says."""
    token = _form.set(form)
    try:
        yield
    finally:
        _form.reset(token)


def chosen_form() -> Form:
    """Return the form that networks are built of.

    It is that of the innermost ``layers_of_form``, else that of ``MER_LAYERS``, else the fast one
    where TensorFlow computes on a processor, as was measured, and the plain one elsewhere.

    Raises:
        UserError: ``MER_LAYERS`` is something else.
    """
    form = _form.get()
    if form is not None:
        return form
    text = settings.layer_form()
    if text is None:
        return Form.FAST if on_tensorflow_processor() else Form.PLAIN
    if text not in list(Form):
        raise UserError(f"MER_LAYERS is {text!r}, expected {' or '.join(Form)}")
    return Form(text)


def choose(plain: type[keras.Layer]) -> type[keras.Layer]:
    """Return a layer's class in the chosen form.

    Args:
        plain: a key of ``FAST_FORMS``.
    """
    return FAST_FORMS[plain] if chosen_form() is Form.FAST else plain


def plain_form(layer_class: type[keras.Layer]) -> type[keras.Layer]:
    """Return the plain class that a fast one stands for; any other class as it is."""
    return _PLAIN_FORMS.get(layer_class, layer_class)
