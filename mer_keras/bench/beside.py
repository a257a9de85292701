"""A training step of this suite's networks beside the same network written without the suite.

All forms, and a product of two matrices, take turns in one process, since a machine that others use
too changes its speed within a minute. With ``OMP_NUM_THREADS=1`` and ``TF_NUM_INTRAOP_THREADS=1``
seconds are those of the processor: on a machine whose cores are all taken, threads that wait for
each other would lengthen one framework's steps more than another's.
"""

import importlib.util
import math
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from mer_keras.arrays import Shape, each_shape
from mer_keras.bench.case import Case, CaseOptions, case_file
from mer_keras.bench.loso import load_script
from mer_keras.bench.measure import Facts, Measurement, NotMeasuredError, timed
from mer_keras.bench.networks import BATCH, compiled_network, matrix_products
from mer_keras.config.training import EXACT, Precision, with_precision
from mer_keras.models.cost import multiply_accumulates
from mer_keras.training.device import number_format

if TYPE_CHECKING:
    import keras

#: What each script's networks are called in results, and the module that they need.
SCRIPTS = {
    "plain_torch_transformers": ("plain PyTorch, as released", "torch"),
    "plain_keras_frames": ("plain Keras", "tensorflow"),
    "plain_torch_frames": ("plain PyTorch", "torch"),
}
#: What this suite's form is called.
OURS = "mer_keras"
#: Turns of each form, at least; steps of a turn, at most, and seconds after which no step begins.
_TURNS, _STEPS, _TURN = 5, 20, 0.5
#: Variables that say how many threads PyTorch and TensorFlow have.
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def cases() -> list[Case]:
    """Each network of which ``cases.yaml`` names another form, with TensorFlow."""
    return [
        Case(
            f"step-beside/{name}",
            f"a training step of {name} beside {' and '.join(_forms(entry['scripts']))}, in turns",
            partial(take_turns, name=name, **_arguments(entry)),
            limit=entry.get("limit", 1200),
            quick=False,
        )
        for name, entry in case_file()["beside"].items()
    ]


def take_turns(
    options: CaseOptions,
    *,
    name: str,
    scripts: Sequence[str],
    clips: int | None = None,
    side: int | None = None,
    precisions: Sequence[Precision] = (EXACT,),
) -> list[Measurement]:
    """Measure a step of each form of a network; all must have as many parameters.

    Args:
        options: quick: two clips, one turn.
        name: of the network, in the scripts too.
        scripts: files in ``benchmarks/`` whose ``Step`` takes a step of another form. Those whose
            framework isn't installed are left out.
        clips: of a step; as many as in a step alone if left out.
        side: of the images, in place of the paper's.
        precisions: formats of numbers in which this suite's form is measured; the others compute
            in float32.

    Raises:
        NotMeasuredError: no framework is installed, or forms differ in their parameters.
    """
    from mer_keras.models import registry

    batch = 2 if options.quick else clips or BATCH[name]
    turns = 1 if options.quick else max(_TURNS, options.repeats)
    shape = resized(registry.get_spec(name).input_shape, side)
    steps: dict[str, Callable[[], object]] = {}
    for precision in precisions:
        with number_format(precision):
            network, inputs, labels = compiled_network(name, batch, shape)
        steps[with_precision(OURS, precision)] = partial(network.train_on_batch, inputs, labels)
    parameters = _count(network.trainable_weights)
    # Code as it was released has queries and keys of blocks with one place, which get no gradient.
    given = _count(weight for weight in network.weights if not weight.name.startswith("moving_"))
    forms: dict[str, Callable[[], object]] = {}
    for script in _installed(scripts):
        plain = load_script(script).Step(name, batch, **({"side": side} if side else {}))
        if plain.parameter_count() not in (parameters, given):
            raise NotMeasuredError(
                f"{plain.parameter_count():,} parameters in {SCRIPTS[script][0]}, "
                f"{parameters:,} here"
            )
        forms[SCRIPTS[script][0]] = plain
    forms |= steps
    clock = time.process_time if _has_one_thread() else time.perf_counter
    product_rates = {
        with_precision(OURS, precision): matrix_products(
            quick=options.quick, policy=precision, clock=clock
        )
        for precision in precisions
    }
    for step in forms.values():
        step()
    rates: dict[str, list[float]] = {form: [] for form in steps}
    seconds: dict[str, list[float]] = {form: [] for form in forms}
    for turn in range(turns):
        # Every second turn runs backwards, so that no form always follows the same one.
        for form, step in list(forms.items())[:: (-1) ** turn]:
            seconds[form].append(statistics.median(timed(step, _STEPS, budget=_TURN, clock=clock)))
        for form, product_rate in product_rates.items():
            rates[form].append(product_rate())
    operations = 6 * batch * multiply_accumulates(network)
    facts: dict[str, Facts] = {form: {} for form in forms}
    for form in steps:
        shares = (operations / s / rate for s, rate in zip(seconds[form], rates[form], strict=True))
        facts[form] = {
            "share of matrix products": round(statistics.median(shares), 3),
            "matrix products, GFLOP/s": round(statistics.median(rates[form]) / 1e9, 1),
            **{
                f"times {other}": round(_ratio(seconds[form], seconds[other]), 2)
                for other in forms
                if other not in steps
            },
        }
    work = f"training step beside other forms, {name}, {batch} clips"
    work += f" of {side} pixels" if side else ""
    work += ", one thread's processor time" if _has_one_thread() else ""
    return [
        Measurement(work, form, tuple(seconds[form]), batch, facts=facts[form]) for form in forms
    ]


def _count(weights: "Iterable[keras.Variable]") -> int:
    return sum(math.prod(weight.shape) for weight in weights)


def resized(shape: Shape, side: int | None) -> Shape:
    """Return the shape of clips, or of each input, with images of ``side`` pixels, if given."""
    if side is None:
        return shape
    shapes = tuple((*sides[:-3], side, side, sides[-1]) for sides in each_shape(shape))
    return shapes if len(shapes) > 1 else shapes[0]


def _forms(scripts: Sequence[str]) -> list[str]:
    return [SCRIPTS[script][0] for script in scripts]


def _arguments(entry: dict[str, Any]) -> dict[str, Any]:
    """Arguments of ``take_turns`` that an entry of ``cases.yaml`` has."""
    return {key: value for key, value in entry.items() if key != "limit"}


def _installed(scripts: Sequence[str]) -> list[str]:
    """Scripts whose framework is installed.

    Raises:
        NotMeasuredError: there is none.
    """
    needs = {script: SCRIPTS[script][1] for script in scripts}
    installed = [name for name, module in needs.items() if importlib.util.find_spec(module)]
    if not installed:
        raise NotMeasuredError(f"{' and '.join(sorted(set(needs.values())))}: not installed")
    return installed


def _has_one_thread() -> bool:
    """Whether the environment gives each framework one thread."""
    return {os.environ.get(name) for name in _THREADS} == {"1"}


def _ratio(seconds: Sequence[float], other: Sequence[float]) -> float:
    """Median over the turns of what ``seconds`` are as a multiple of the other form's."""
    return statistics.median(a / b for a, b in zip(seconds, other, strict=True))
