"""How samples are divided."""

from typing import Literal

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel


class ProtocolConfig(StrictModel):
    """How samples are divided (see ``protocols``)."""

    name: Literal["subject_kfold", "loso", "cde", "sde", "hde", "as_published"]
    """``subject_kfold``: ``k`` groups of subjects. ``loso``: one subject is left out. ``cde``: the
    same over several pooled databases. ``sde``: the same within each of several databases, whose
    networks never see another. ``hde``: one database is left out. ``as_published``: one random
    stratified division by clips; tested subjects are trained on too.
    """
    k: int | None = Field(default=None, ge=2)
    """Groups of subjects of ``subject_kfold``."""
    test_share: float | None = Field(default=None, gt=0, lt=1)
    """Share of the clips that ``as_published`` tests."""
    seed: int = Field(default=0, ge=0)
    """Which of the possible divisions of ``subject_kfold`` or ``as_published`` is drawn."""
    inner_fraction: float = Field(default=0.2, gt=0, lt=1)
    """Part of the training subjects that ``inner_subjects`` holds back for selection, or of the
    training clips that ``inner_clips`` does.
    """

    @model_validator(mode="after")
    def _fields_belong_to_the_name(self) -> "ProtocolConfig":
        for field, owner in (("k", "subject_kfold"), ("test_share", "as_published")):
            if (self.name == owner) != (getattr(self, field) is not None):
                raise ValueError(f"{field!r} is needed for {owner} and has no meaning for others")
        return self

    @property
    def subject_exclusive(self) -> bool:
        """Whether no tested subject is trained on."""
        return self.name != "as_published"

    @property
    def title(self) -> str:
        """The protocol in words."""
        return {
            "subject_kfold": f"subject-exclusive stratified {self.k}-fold",
            "loso": "leave-one-subject-out",
            "cde": "composite-database leave-one-subject-out (CDE)",
            "sde": "leave-one-subject-out within each database (SDE)",
            "hde": "holdout-database: trained on the others, tested on one (HDE)",
            "as_published": f"random clip split, {100 * (self.test_share or 0):g} % tested, NOT "
            "subject-exclusive",
        }[self.name]
