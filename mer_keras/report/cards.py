"""Model and data cards: what is known of a network or a database, on one page of markdown."""

from collections.abc import Iterator

from mer_keras.arrays import shape_text
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.databases.corrections import corrections_for
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.registry import get_database
from mer_keras.models.registry import get_spec

_LIMITS = (
    "For research on recognition methods and on how they are evaluated. Not for lie detection, "
    "hiring, policing, or any decision about a person: micro-expressions don't reveal intentions, "
    "and the databases hold few people."
)


def model_card(name: str) -> str:
    """Return the card of a network.

    Raises:
        UserError: no such network.
    """
    spec = get_spec(name)
    shape = shape_text(spec.input_shape).replace("x", " x ")
    published = f"{spec.published_parameters:,}" if spec.published_parameters else "not printed"
    lines = [
        f"# {spec.title}",
        "",
        f"`{spec.name}`, after {spec.paper}.",
        "",
        "| | |",
        "| --- | --- |",
        f"| input | {shape}, float32 |",
        f"| output | probabilities of {spec.classes} classes |",
        f"| parameters, published | {published} |",
        f"| parameters, built | {spec.built_parameters:,} |",
        f"| of these trained | {spec.trainable_parameters:,} |",
        f"| multiply-accumulates a clip | {spec.multiply_accumulates:,} |",
        "",
        "## What the paper leaves open",
        "",
        f"{spec.leaves_open[0].upper()}{spec.leaves_open[1:]}. Each is an argument of the builder "
        f"(`mer-keras models show {spec.name}`).",
    ]
    if spec.count_differs:
        lines += ["", f"On the published count: {spec.count_differs}."]
    lines += ["", "## Where it is trained and tested", ""]
    uses = [
        f"- `{config.name}`, {plan.name}: {', '.join(config.data.databases)}; "
        f"{config.protocol.title}; selection {config.selection}"
        for config in _experiments()
        for plan in config.plans
        if plan.config.network is not None and plan.config.network.model == name
    ]
    lines += uses or ["In no experiment of the suite."]
    lines += [
        "",
        "No weights are handed out. Figures of a run stand in its report, with kind of data, "
        "protocol, selection and interval.",
        "",
        "## Use and limits",
        "",
        _LIMITS,
    ]
    return "\n".join(lines) + "\n"


def data_card(name: str) -> str:
    """Return the card of a database.

    Raises:
        UserError: no such database.
    """
    database = get_database(name)
    lines = [
        f"# {database.title}",
        "",
        f"`{database.name}`: {database.expressions}-expressions, {database.default_kind} data"
        + (f", {database.subjects} people." if database.subjects else "."),
        "",
        "## How to get it",
        "",
        database.whom_to_ask,
        "",
        "## Expected files",
        "",
        "```",
        database.tree.rstrip("\n"),
        "```",
    ]
    if database.counts:
        lines += ["", "## Clips by emotion, as printed", "", "| emotion | clips |", "| --- | --- |"]
        lines += [f"| {emotion} | {count} |" for emotion, count in database.counts.items()]
    corrections = corrections_for(name)
    if corrections:
        lines += [
            "",
            "## Known errors of its table",
            "",
            f"{len(corrections)} are corrected, each with its reason and source in "
            f"`mer_keras/databases/corrections/{name}.csv`; "
            "`--set data.corrections=false` leaves them.",
        ]
    lines += ["", "## Used by", ""]
    uses = []
    for config in _experiments():
        if name in config.data.databases:
            scheme = get_scheme(config.data.scheme_of(name))
            uses.append(f"- `{config.name}`: {scheme.title} ({', '.join(scheme.classes)})")
        uses += [
            f"- `{config.name}`, before the folds: {source.labels}"
            for stage in config.stages
            for source in stage.sources
            if source.database == name
        ]
    lines += uses or ["No experiment of the suite; `--set data.database=...` runs any on it."]
    lines += [
        "",
        "## People",
        "",
        "Pictures of faces are personal data. Reports hold no face, no subject id and no path of "
        "it; predictions stay in the run folder.",
        "",
        "## Use and limits",
        "",
        _LIMITS,
    ]
    return "\n".join(lines) + "\n"


def _experiments() -> Iterator[Experiment]:
    for name in experiment_names():
        yield from load_experiments(name)
