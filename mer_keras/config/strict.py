"""The base of all config models."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A model whose unknown keys are errors and whose values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
