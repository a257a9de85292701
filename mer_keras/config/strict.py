"""The base of all config models."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A model whose unknown keys are errors and whose values don't change.

    The text below a field says what the field means; ``mer-keras list keys`` shows it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
