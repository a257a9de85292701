"""What kinds of methods have in common, for those who must not ask for the kind."""

from mer_keras.config.method import MethodConfig


def learns(method: MethodConfig) -> bool:
    """Whether a method looks at clips and at their own labels.

    Chance looks at no clip, and a method whose training labels are shuffled is taught nothing.
    """
    return method.chance is None and not method.shuffled_labels
