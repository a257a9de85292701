"""A training step of this suite's networks beside the same network written without the suite.

Both ways and a product of two matrices take turns in one process, since a machine that others use
too changes its speed within a minute.
"""

import statistics
from collections.abc import Callable

from mer_keras.bench.case import CaseOptions
from mer_keras.bench.loso import load_script
from mer_keras.bench.measure import Facts, Measurement, NotMeasuredError, timed
from mer_keras.bench.networks import BATCH, compiled_network, matrix_products

#: Framework of each script's networks, and what its form is called in results.
SCRIPTS = {
    "plain_torch_transformers": ("PyTorch", "plain PyTorch, as released"),
    "plain_keras_frames": ("Keras", "plain Keras"),
}


def take_turns(
    options: CaseOptions, *, name: str, script: str = "plain_torch_transformers"
) -> list[Measurement]:
    """Measure a step of both networks, which must have as many parameters.

    Args:
        options: quick: two clips, one round.
        name: of the network, in the script too.
        script: the file in ``benchmarks/`` whose ``Step`` takes a step of the other form.

    Raises:
        NotMeasuredError: the two networks differ in their number of parameters.
    """
    from mer_keras.models import cost

    beside, other_way = SCRIPTS[script]
    batch, rounds = (2, 1) if options.quick else (BATCH[name], options.repeats)
    plain = load_script(script).Step(name, batch)
    network, clips, labels = compiled_network(name, batch)
    if plain.parameter_count() != network.count_params():
        raise NotMeasuredError(
            f"{plain.parameter_count():,} parameters in {beside}, {network.count_params():,} here"
        )
    ways: dict[str, Callable[[], object]] = {
        other_way: plain,
        "mer_keras": lambda: network.train_on_batch(clips, labels),
    }
    product_rate = matrix_products(quick=options.quick)
    for step in ways.values():
        step()
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    rates = []
    for _ in range(rounds):
        for way, step in ways.items():
            seconds[way] += timed(step, 1)
        rates.append(product_rate())
    operations = 6 * batch * cost.multiply_accumulates(network)
    shares = [
        operations / duration / rate
        for duration, rate in zip(seconds["mer_keras"], rates, strict=True)
    ]
    facts: dict[str, Facts] = {way: {} for way in ways}
    facts["mer_keras"] = {
        "share of matrix products": round(statistics.median(shares), 3),
        "matrix products, GFLOP/s": round(statistics.median(rates) / 1e9, 1),
    }
    work = f"training step beside {beside}, {name}, {batch} clips"
    return [Measurement(work, way, tuple(seconds[way]), batch, facts=facts[way]) for way in ways]
