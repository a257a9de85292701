"""The clips that an experiment names: of which databases, real or synthetic, of which classes."""

from pathlib import Path

import pytest

pytest.importorskip("keras")
from mer_keras.config.files import load_config
from mer_keras.errors import ConfigError, DatabaseNotFoundError
from mer_keras.runs import samples as samples_room
from mer_keras.runs.context import compose
from mer_keras.runs.samples import load_samples
from mer_keras.synthetic import stand_ins
from tests.runs.small import small

ROOT = Path(__file__).parents[2]


def test_absent_database_says_what_to_do(places):
    with pytest.raises(DatabaseNotFoundError, match="data howto samm"):
        load_samples(small().data, "real")


def test_contradictions(places):
    flow = load_config(ROOT / "experiments/ststnet/megc2019.yaml")
    with pytest.raises(ConfigError, match="no synthetic megc2019_flow"):
        load_samples(flow.data, "synthetic")


def test_pooled_databases_need_the_same_classes(places):
    config = small("data.database=[samm, casme2]", "data.labels={samm: samm3, casme2: casme2_5}")
    with pytest.raises(ConfigError, match="samm3 and casme2_5 have different classes"):
        compose(config, "quick", "synthetic")


@pytest.mark.parametrize(
    ("present", "kind"), [(("samm", "smic"), "real"), (("samm",), "synthetic")]
)
def test_databases_are_real_together_or_synthetic_together(places, monkeypatch, present, kind):
    """One absent database and all are synthetic: real and synthetic clips are never pooled."""
    written = []
    monkeypatch.setattr(
        samples_room.databases, "find", lambda name: Path("there") if name in present else None
    )
    monkeypatch.setattr(stand_ins, "ensure", lambda name, *_: written.append(name))

    def stop(*_, **__):
        raise StopIteration

    monkeypatch.setattr(samples_room.databases, "load", stop)
    data = small("data.database=[samm, smic]", "data.labels={samm: cde3_samm, smic: smic3}").data
    with pytest.raises(StopIteration):
        load_samples(data, "auto")
    assert bool(written) == (kind == "synthetic")
