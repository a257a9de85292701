"""``mer-keras models``: the networks, their cost and their layers."""

from typing import Annotated

import typer

from mer_keras.arrays import shape_text
from mer_keras.cli import completion
from mer_keras.cli.show import Json, print_json, print_table, print_wrapped

app = typer.Typer(invoke_without_command=True)

Network = Annotated[
    str, typer.Argument(help="Name of the network.", autocompletion=completion.networks)
]


@app.callback()
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """List networks: paper, input shape, parameters, cost.

    Parameters are those built and those published; open questions are listed too.
    Multiply-accumulates (MAC) are of a forward pass of one clip. MiB is the memory that training by
    Adam in float32 takes at least, for the weights + for each clip of a batch.

    Example: mer-keras models --json
    """
    if context.invoked_subcommand:
        return
    from mer_keras.models import registry

    specs = list(registry.MODELS.values())
    if as_json:
        print_json([spec.model_dump() for spec in specs])
        return
    print_table(
        ["network", "input", "parameters (published)", "MAC", "MiB"],
        [
            [
                spec.name,
                shape_text(spec.input_shape),
                _counts(spec.built_parameters, spec.published_parameters),
                _short(spec.multiply_accumulates),
                f"{_mebibytes(spec.trainable_parameters, 16)} + {_mebibytes(spec.activations, 4)}",
            ]
            for spec in specs
        ],
    )
    for spec in specs:
        print()
        print_wrapped(f"{spec.name}: {spec.title} ({spec.paper})")
        print_wrapped(f"left open: {spec.leaves_open or '-'}", indent=2)
        if spec.count_differs:
            print_wrapped(f"published count: {spec.count_differs}", indent=2)


@app.command()
def show(
    name: Network,
    classes: Annotated[int | None, typer.Option(help="Classes; the paper's if left out.")] = None,
    reading: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another reading, such as reduction=16. Repeatable."),
    ] = None,
    variables: Annotated[bool, typer.Option("--variables", help="List the variables.")] = False,
    as_json: Json = False,
) -> None:
    """Build a network and show its layers.

    Of each layer: output, parameters, cost, and the layers that it reads.

    Example: mer-keras models show meranet --set reduction=16
    """
    from dataclasses import asdict

    from mer_keras.config.overrides import parse_overrides
    from mer_keras.models import cost, registry
    from mer_keras.models.counting import build_without_values
    from mer_keras.training.quiet_start import import_keras

    registry.get_spec(name)
    import_keras()
    network = build_without_values(name, classes=classes, **parse_overrides(reading or []))
    if variables:
        entries = [{"variable": v.path, "shape": list(v.shape)} for v in network.weights]
        if as_json:
            print_json(entries)
        else:
            print_table(["variable", "shape"], [list(entry.values()) for entry in entries])
        return
    layers = cost.layer_costs(network)
    if as_json:
        print_json([asdict(layer) for layer in layers])
        return
    print_table(
        ["layer", "kind", "output", "parameters", "MAC", "reads"],
        [
            [
                layer.name,
                layer.kind,
                "x".join(map(str, layer.output_shape)),
                f"{layer.parameters:,}",
                _short(layer.multiply_accumulates),
                ", ".join(layer.inputs),
            ]
            for layer in layers
        ],
    )
    weights, clip = cost.training_bytes(network)
    print()
    print_wrapped(
        f"{network.count_params():,} parameters, {_short(cost.multiply_accumulates(network))} "
        f"multiply-accumulates a clip; training takes at least {weights / 2**20:.0f} MiB and "
        f"{clip / 2**20:.0f} MiB a clip"
    )


@app.command()
def card(name: Network, as_json: Json = False) -> None:
    """Print a network's card as markdown.

    It says what the network is, what its paper leaves open, and where it is used.

    Example: mer-keras models card meranet
    """
    from mer_keras.report.cards import model_card

    text = model_card(name)
    if as_json:
        print_json({"network": name, "markdown": text})
        return
    print(text, end="")


def _counts(built: int | None, published: int | None) -> str:
    """``11,664,323``, or ``2,132,725 (28,000,000)``; ``-`` where it is unknown."""
    text = "-" if built is None else f"{built:,}"
    return text if published is None else f"{text} ({published:,})"


def _mebibytes(count: int | None, size: int) -> str:
    """Memory of so many values of ``size`` bytes; ``-`` where it is unknown."""
    return "-" if count is None else f"{size * count / 2**20:,.0f}"


def _short(count: int | None) -> str:
    """``2661189264`` -> ``2.66 G``; ``-`` where it is unknown."""
    if count is None:
        return "-"
    for factor, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return str(count)
