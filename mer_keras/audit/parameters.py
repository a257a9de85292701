"""Parameter counts: of a network with how many classes is it?"""

from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.published import ParameterCount
from mer_keras.errors import UserError
from mer_keras.models.registry import get_spec


def parameter_count_finding(count: ParameterCount) -> Finding:
    """Find the number of classes with which the network that is built here has the count.

    Raises:
        UserError: the registry doesn't say how many parameters of the network are trained.
    """
    spec = get_spec(count.model)
    classes, built = spec.classes, spec.trainable_parameters
    if built is None:
        raise UserError(f"network {spec.name!r}: 'trainable_parameters' is needed in networks.yaml")
    without_head = built - count.per_class * classes
    published_classes, rest = divmod(count.published - without_head, count.per_class)
    numbers = {"built": built, "published": count.published, "per class": count.per_class}
    about = f"{count.title}: parameters"
    if rest or published_classes <= 0:
        says = f"{count.published:,} is not reached by any number of classes; built: {built:,}"
        return Finding(count.where, about, says, "", numbers, Kind.PARAMETERS)
    says = f"{count.published:,} is exactly the network with a head of {published_classes} classes"
    corrections: tuple[Correction, ...] = ()
    if published_classes != classes:
        says += f", not {classes}, with which it has {built:,}"
        printed = f"{count.title}: {count.published:,} parameters"
        actual = f"the network with {published_classes} classes; with {classes} it has {built:,}"
        evidence = f"each class adds {count.per_class} parameters to the head of the built network"
        corrections = (Correction(count.where, printed, actual, evidence),)
    numbers["classes"] = published_classes
    return Finding(count.where, about, says, "", numbers, Kind.PARAMETERS, corrections)
