"""``mer-keras models``: the networks, their cost, their layers and a drawing."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mer_keras.cli.show import Json, print_table
from mer_keras.errors import UserError

app = typer.Typer(invoke_without_command=True)


@app.callback()
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """List networks: paper, input shape, parameters built and published, cost, open questions.

    Multiply-accumulates are of a forward pass of one clip. Memory is what training by Adam in
    float32 takes at least, for the weights and for each clip of a batch.

    Example: mer-keras models --json
    """
    if context.invoked_subcommand:
        return
    from dataclasses import asdict

    from mer_keras.models import registry

    specs = list(registry.MODELS.values())
    if as_json:
        print(json.dumps([asdict(spec) for spec in specs], indent=1))
        return
    print_table(
        ["network", "input", "built", "trainable", "published", "MAC", "weights", "a clip"],
        [
            [
                spec.name,
                "x".join(map(str, spec.input_shape)),
                f"{spec.built_parameters:,}",
                f"{spec.trainable_parameters:,}",
                f"{spec.published_parameters:,}" if spec.published_parameters else "-",
                _short(spec.multiply_accumulates),
                f"{16 * spec.trainable_parameters / 2**20:.0f} MiB",
                f"{4 * spec.activations / 2**20:.0f} MiB",
            ]
            for spec in specs
        ],
    )
    for spec in specs:
        print(f"\n{spec.name}: {spec.title} ({spec.paper})\n  left open: {spec.leaves_open}")
        if spec.count_differs:
            print(f"  published count: {spec.count_differs}")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name of the network.")],
    classes: Annotated[int | None, typer.Option(help="Classes; the paper's if left out.")] = None,
    reading: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another reading, such as reduction=16. Repeatable."),
    ] = None,
    variables: Annotated[bool, typer.Option("--variables", help="List the variables.")] = False,
    drawing: Annotated[Path | None, typer.Option(help="Write a drawing (.svg, .png).")] = None,
    as_json: Json = False,
) -> None:
    """Build a network and show its layers: output, parameters, multiply-accumulates.

    Example: mer-keras models show meranet --set reduction=16 --drawing meranet.svg
    """
    from dataclasses import asdict

    from mer_keras.cli.start import import_keras
    from mer_keras.config.files import parse_overrides
    from mer_keras.models import cost, registry

    registry.get_spec(name)
    if drawing and drawing.suffix not in (".svg", ".png"):
        raise UserError(f"{drawing}: expected a name that ends in .svg or .png")
    import_keras()
    network = registry.build(name, classes=classes, **parse_overrides(reading or []))
    if drawing:
        from mer_keras.models.drawing import draw

        draw(network, drawing)
        print(drawing)
    if variables:
        entries = [{"variable": v.path, "shape": list(v.shape)} for v in network.weights]
        if as_json:
            print(json.dumps(entries, indent=1))
        else:
            print_table(["variable", "shape"], [list(entry.values()) for entry in entries])
        return
    layers = cost.layer_costs(network)
    if as_json:
        print(json.dumps([asdict(layer) for layer in layers], indent=1))
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
    print(
        f"\n{network.count_params():,} parameters, {_short(cost.multiply_accumulates(network))} "
        f"multiply-accumulates a clip; training takes at least {weights / 2**20:.0f} MiB and "
        f"{clip / 2**20:.0f} MiB a clip"
    )


@app.command()
def card(name: Annotated[str, typer.Argument(help="Name of the network.")]) -> None:
    """Print a network's card as markdown: what it is, what is left open, where it is used.

    Example: mer-keras models card meranet
    """
    from mer_keras.report.cards import model_card

    print(model_card(name), end="")


def _short(count: int) -> str:
    """``2661189264`` -> ``2.66 G``."""
    for factor, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return str(count)
