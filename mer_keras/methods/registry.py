"""All methods by name, and how a row's method is made."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from mer_keras.arrays import Shape
from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.config.files import load_method, method_names
from mer_keras.config.method import MethodConfig, Network
from mer_keras.errors import ConfigError, did_you_mean
from mer_keras.features.registry import get_feature
from mer_keras.flow_channels import FlowForm
from mer_keras.methods.contract import Method
from mer_keras.models import registry as networks
from mer_keras.models.counting import build_without_values
from mer_keras.models.weights import fold_weights
from mer_keras.training.quiet_start import import_keras

if TYPE_CHECKING:
    import keras

#: The input that a method reads if nothing names another.
DEFAULT_INPUT = "clips"


def known_methods() -> list[str]:
    """Names of all methods: described ones, then the networks that need no description."""
    return list(dict.fromkeys([*method_names(), *networks.MODELS]))


def describe_method(name: str) -> MethodConfig:
    """What a method is; a network without a description is described by its entry.

    Raises:
        ConfigError: there is no such method, or its feature or classifier is not registered.
    """
    method = load_method(name)
    if method is not None:
        if method.classical is not None:
            from mer_keras.methods.classifiers import get_classifier

            try:
                get_feature(method.classical.feature)
                get_classifier(method.classical.classifier)
            except ConfigError as error:
                raise ConfigError(f"method {name!r}: {error}") from error
        return method
    if name in networks.MODELS:
        return MethodConfig(title=networks.MODELS[name].title, network=Network(model=name))
    known = known_methods()
    raise ConfigError(f"no method {name!r}{did_you_mean(name, known)}; see mer-keras list methods")


def check_methods(config: Experiment) -> None:
    """Check that every method of an experiment exists, and has its inputs and its feature.

    Raises:
        ConfigError: naming the row, what it asks for, and what there is.
    """
    named = [(row.name, row.method) for row in config.rows if row.method]
    named += [("baselines", method) for method in config.baselines]
    for where, method in named:
        if method not in config.methods:
            try:
                describe_method(method)
            except ConfigError as error:
                raise ConfigError(f"{config.name}: {where}: {error}") from error
        if where == "baselines" and not config.describe(method).runs:
            raise ConfigError(f"{config.name}: baselines: {method!r} is described but doesn't run")
    for plan in config.plans:
        names = inputs_of(plan)
        problem = config.missing_input(plan, names)
        if problem:
            raise ConfigError(f"{config.name}: {problem}")
        if plan.config.network is not None:
            own = networks.get_spec(plan.config.network.model).inputs
            if len(names) != len(own):
                raise ConfigError(
                    f"{config.name}: row {plan.name!r} reads the inputs {', '.join(names)}, and "
                    f"its network takes {len(own)}"
                )
            _check_augmentation(config, plan, names)
        if plan.config.classical is not None:
            from mer_keras.methods.classical import ClassicalMethod

            try:
                ClassicalMethod(plan.config.classical, classes=1)
            except ConfigError as error:
                raise ConfigError(f"{config.name}: row {plan.name!r}: {error}") from error


def check_networks(config: Experiment, classes: int) -> None:
    """Build every network once, so that what it can't read is refused before clips are.

    A network of the paper's own form is known to be built. Clips that differ in length have no size
    before they are read.

    Args:
        config: the experiment.
        classes: how many there are.

    Raises:
        ConfigError: naming the row, its inputs' keys and what is wrong.
    """
    for plan in config.plans:
        if plan.config.network is None:
            continue
        model, arguments = plan.config.network.model, plan.config.network.arguments
        names = inputs_of(plan)
        shapes = tuple(config.inputs[name].shape for name in names)
        shape = shapes[0] if len(shapes) == 1 else shapes
        is_known = shape == networks.get_spec(model).input_shape and not arguments
        if is_known or any(side is None for part in shapes for side in part):
            continue
        try:
            _try_network(model, shape, classes, json.dumps(arguments, sort_keys=True))
        except ConfigError as error:
            keys = ", ".join(f"inputs.{name}.size" for name in names)
            if any(config.inputs[name].kind == "frames" for name in names):
                keys += " or frames"
            remedy = f"change {keys}" + (", or the row's arguments" if arguments else "")
            raise ConfigError(f"{config.name}: row {plan.name!r}: {error}; {remedy}") from error


@lru_cache(maxsize=256)
def _try_network(model: str, shape: Shape, classes: int, arguments: str) -> None:
    """Build a network and drop it; several tables of a command may have the same one."""
    import_keras()
    build_without_values(model, shape, classes, **json.loads(arguments))


def _check_augmentation(config: Experiment, plan: RowPlan, names: Sequence[str]) -> None:
    """Check that one random change can be drawn for all inputs of a network."""
    grids = {name: config.inputs[name].grid for name in names}
    if plan.recipe.augmentation is not None and len(set(grids.values())) > 1:
        sizes = ", ".join(f"{name} {'x'.join(map(str, grid))}" for name, grid in grids.items())
        raise ConfigError(
            f"{config.name}: row {plan.name!r}: train.augmentation draws one change for all inputs "
            "of a network, so that they need the same frames, height and width, found "
            f"{sizes}: leave it out for this row by train: {{augmentation: null}}"
        )


def all_arguments(plan: RowPlan) -> dict[str, object]:
    """Arguments of a row's network, or of its feature and classifier, defaults included.

    Raises:
        ConfigError: one that they do not have.
    """
    config = plan.config
    if config.network is not None:
        return networks.all_arguments(config.network.model, config.network.arguments)
    if config.classical is None:
        return {}
    from mer_keras.methods.classifiers import get_classifier

    classical = config.classical
    feature, classifier = get_feature(classical.feature), get_classifier(classical.classifier)
    return {
        "feature": {**_defaults(feature), **classical.arguments},
        "classifier": {**_defaults(classifier), **classical.classifier_arguments},
    }


def _defaults(function: Callable[..., object]) -> dict[str, object]:
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def inputs_of(plan: RowPlan) -> tuple[str, ...]:
    """Names of the inputs that a row's method reads, in their order."""
    if plan.inputs:
        return plan.inputs
    if plan.config.network is not None:
        return networks.get_spec(plan.config.network.model).inputs
    return (DEFAULT_INPUT,)


def chooses(plan: RowPlan) -> bool:
    """Whether validation clips choose something: an epoch, or a hyper-parameter."""
    classical = plan.config.classical
    return plan.config.network is not None or (classical is not None and bool(classical.choices))


def sees_tested_clips(plan: RowPlan) -> bool:
    """Whether the values of tested clips take part in the training (see ``methods.transfer``)."""
    classical = plan.config.classical
    return classical is not None and classical.looks_at_tested_clips


def changes_clips(plan: RowPlan) -> bool:
    """Whether training can change copies of clips, so that changed clips can be tested too."""
    return plan.config.network is not None


def make_method(
    plan: RowPlan,
    shape: Callable[[], Shape],
    classes: int,
    *,
    start: Callable[["keras.Model"], None] | None = None,
    weights: Path | None = None,
    alone: bool = False,
    flow: Sequence[FlowForm | None] = (),
) -> Method:
    """Return the method of a row, not yet fitted.

    Args:
        plan: the row.
        shape: of one clip in its input, or in each of its inputs; asked by networks only.
        classes: how many there are.
        start: gives a network its weights before each fold.
        weights: weights that are tested instead of training: a file, or a folder of one a fold.
        alone: train each fold by itself.
        flow: what the channels of each of its inputs are, None for pictures; empty: all are.

    Raises:
        ConfigError: the method is only described, its arguments are wrong, its labels would be
            shuffled though nothing is trained, or flow would be changed as if it were a picture.
    """
    config = plan.config
    method: Method
    if config.network is not None:
        from mer_keras.methods.network import GivenWeights, NetworkMethod

        build = partial(
            networks.build, config.network.model, shape(), classes, **config.network.arguments
        )
        if weights is not None:
            if config.shuffled_labels:
                raise ConfigError(
                    f"row {plan.name!r} shuffles the labels of its training clips, and with "
                    "weights from elsewhere nothing is trained: leave the row or the weights out"
                )
            method = GivenWeights(build, plan.recipe, partial(fold_weights, weights), flow)
        else:
            method = NetworkMethod(build, plan.recipe, start, alone=alone, flow=flow)
    elif config.classical is not None:
        from mer_keras.methods.classical import ClassicalMethod

        method = ClassicalMethod(config.classical, classes)
    elif config.chance is not None:
        from mer_keras.methods.chance import ChanceMethod

        method = ChanceMethod(config.chance, classes)
    else:
        raise ConfigError(f"{config.title} doesn't run here: {config.missing}")
    if config.shuffled_labels:
        from mer_keras.methods.shuffled import ShuffledLabels

        method = ShuffledLabels(method)
    return method


def with_choice(plan: RowPlan, chosen: Mapping[str, JsonValue]) -> RowPlan:
    """The same row with values of classifier arguments, so that nothing is left to choose."""
    classical = plan.config.classical
    if classical is None or not chosen:
        return plan
    fixed = classical.model_copy(
        update={
            "classifier_arguments": {**classical.classifier_arguments, **chosen},
            "choices": {},
        }
    )
    return replace(plan, config=plan.config.model_copy(update={"classical": fixed}))


def check_known(plan: RowPlan) -> None:
    """Check that the network, or the feature and the classifier, of a method are known here.

    Raises:
        UserError: one of them, or an argument of one, is not.
    """
    config = plan.config
    if config.network is not None:
        networks.all_arguments(config.network.model, config.network.arguments)
    if config.classical is not None:
        from mer_keras.methods.classical import ClassicalMethod

        ClassicalMethod(config.classical, classes=1)
