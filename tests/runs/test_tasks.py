"""Folds that are trained together, from config to stored predictions."""

from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.files import load_config  # noqa: E402
from mer_keras.errors import UserError  # noqa: E402
from mer_keras.runs.folder import RunFolder, units_of  # noqa: E402
from mer_keras.runs.manifest import make_manifest  # noqa: E402
from mer_keras.runs.prepare import prepare  # noqa: E402
from mer_keras.runs.run import run_experiment  # noqa: E402
from mer_keras.runs.tasks import RowWork, rows_of  # noqa: E402
from mer_keras.runs.verify import verify_fold  # noqa: E402
from mer_keras.synthetic import stand_ins  # noqa: E402
from tests.runs.small import SMALL, contents  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TABLE1 = ROOT / "experiments/shallow_convlstm/table1.yaml"


@pytest.fixture
def small(places):
    """Return a function that gives the small config with changes, on a database on disk."""
    stand_ins.write("samm", places / "data" / "SAMM", stand_ins.StandInOptions(clips=24, size=24))

    def config(*changes):
        overrides = [*SMALL, "train.plateau=null", "train.early_stopping=null", *changes]
        return load_config(TABLE1, profile="quick", overrides=overrides)

    return config


def run(config, **options):
    return run_experiment(config, profile="quick", data="real", **options)


def probabilities(folder, row="proposed-convlstm"):
    units = units_of(folder.manifest(), folder.folds())[row]
    table = folder.predictions(units).set_index("sample_id").sort_index()
    return table[[name for name in table if name.startswith("prob_")]].to_numpy()


def test_a_run_by_either_way_gives_the_same_predictions(small):
    alone = run(small("train.engine=all_folds"))
    fitted = run(small("train.engine=sequential"))
    assert alone.run_id != fitted.run_id, "what differs by rounding isn't the same run"
    np.testing.assert_allclose(probabilities(alone), probabilities(fitted), atol=2e-4)
    found = verify_fold(alone)
    assert found.identical


def test_a_piece_that_was_stored_in_part_is_completed_with_the_same_bytes(small, monkeypatch):
    """Killed while it stored: the whole piece is computed again, what is there stays."""
    config = small("train.engine=all_folds", "train.folds_at_once=2")
    folder = run(config)
    whole = contents(folder.path)
    units = units_of(folder.manifest(), folder.folds())["proposed-convlstm"]
    lost = folder._file(units[1], ".json")
    lost.unlink()
    stored = []
    real = RunFolder.store
    monkeypatch.setattr(
        RunFolder, "store", lambda self, unit, *rest: (stored.append(unit), real(self, unit, *rest))
    )
    run(config)
    assert stored == [units[1]]
    assert contents(folder.path) == whole
    found = verify_fold(folder, fold=units[0].fold)
    assert found.identical, "a fold is derived anew within its piece"


def work_of(config, **options):
    prepared = prepare(config, "real")
    manifest = make_manifest(config, "quick", prepared)
    network, baseline = rows_of(manifest, config, prepared, **options)
    return network, baseline


def test_pieces_are_fixed_by_folds_and_config(small):
    network, baseline = work_of(small("train.engine=all_folds", "train.folds_at_once=2"))
    assert sorted(len(piece) for piece in network.pieces()) in ([1, 2], [1, 1, 1])
    assert [len(piece) for piece in baseline.pieces()] == [1, 1, 1]
    assert network.pieces() == network.pieces()
    found = sorted(unit for piece in network.pieces() for unit in map(str, piece))
    assert found == sorted(map(str, network.units))


def test_in_a_process_of_its_own_a_fold_stands_alone(small):
    config = small("train.engine=all_folds", "train.folds_at_once=3")
    network, _ = work_of(config, alone=True)
    assert [len(piece) for piece in network.pieces()] == [1, 1, 1]


def test_a_network_that_cannot_is_refused_before_anything_is_trained(small):
    config = small("train.engine=all_folds", "rows.0.model=resnet10")
    with pytest.raises(UserError, match="statistics"):
        run(config)


def test_weights_from_elsewhere_are_tested_one_by_one(small, tmp_path):
    config = small("train.engine=all_folds", "train.folds_at_once=3")
    prepared = prepare(config, "real")
    manifest = make_manifest(config, "quick", prepared)
    work = RowWork(manifest, manifest["rows"][0], config, prepared, weights=tmp_path)
    assert [len(piece) for piece in work.pieces()] == [1, 1, 1]
