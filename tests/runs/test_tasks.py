"""Folds that are trained together, from config to stored predictions."""

import shutil

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.errors import UserError  # noqa: E402
from mer_keras.runs.context import compose  # noqa: E402
from mer_keras.runs.folder import RunFolder  # noqa: E402
from mer_keras.runs.tasks import TaskRunner, all_units  # noqa: E402
from mer_keras.runs.verify import verify_fold  # noqa: E402
from tests.runs import small as small_room  # noqa: E402
from tests.runs.small import BASELINE, NETWORK, contents, run, stored, units  # noqa: E402

pytestmark = pytest.mark.slow


def small(*changes):
    return small_room.small("train.plateau=null", "train.early_stopping=null", *changes)


@pytest.fixture(scope="module")
def together(small_databases, tmp_path_factory):
    """A run whose folds were trained two at a time; tests only read it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MER_DATA", str(small_databases / "data"))
        patch.setenv("MER_CACHE", str(small_databases / "cache"))
        patch.setenv("MER_RESULTS", str(tmp_path_factory.mktemp("together")))
        return run(small("train.engine=vectorised", "train.folds_at_once=2"))


def probabilities(folder):
    table = stored(folder)
    table = table[table["row"] == NETWORK].set_index("sample_id").sort_index()
    return table[[name for name in table if name.startswith("prob_")]].to_numpy()


def runner_of(*changes, **options):
    return TaskRunner(compose(small(*changes), "quick", "real"), **options)


def test_a_run_by_either_engine_gives_the_same_predictions(small_data, together):
    fitted = run(small("train.engine=sequential"))
    assert together.run_id != fitted.run_id, "what differs by rounding isn't the same run"
    np.testing.assert_allclose(probabilities(together), probabilities(fitted), atol=2e-4)


def test_a_fold_is_derived_anew_within_its_task(small_data, together):
    for fold in together.folds().folds:
        assert verify_fold(together, fold=fold.name).identical


def test_a_task_that_was_stored_in_part_is_completed_with_the_same_bytes(
    small_data, together, monkeypatch
):
    """Killed while it stored: the whole task is computed again, what is there stays."""
    copy = shutil.copytree(together.path, small_data / "results" / together.path.name)
    lost = units(together)[1]
    (copy / "predictions" / f"{lost.stem()}.json").unlink()
    stored_units = []
    real = RunFolder.store

    def store(self, unit, *rest):
        stored_units.append(unit)
        real(self, unit, *rest)

    monkeypatch.setattr(RunFolder, "store", store)
    config = small("train.engine=vectorised", "train.folds_at_once=2")
    assert run(config).path == copy
    assert stored_units == [lost]
    assert contents(copy) == contents(together.path)


def test_tasks_are_fixed_by_folds_and_config(small_data):
    runner = runner_of("train.engine=vectorised", "train.folds_at_once=2", "seeds=[0, 1]")
    tasks = {row: runner.tasks(row) for row in (NETWORK, BASELINE)}
    assert all(len(task) <= 2 for task in tasks[NETWORK])
    assert any(len(task) == 2 for task in tasks[NETWORK])
    assert all(len({unit.seed for unit in task}) == 1 for task in tasks[NETWORK])
    assert [len(task) for task in tasks[BASELINE]] == [1] * 6
    assert {row: runner.tasks(row) for row in tasks} == tasks
    computed = [unit for of_row in tasks.values() for task in of_row for unit in task]
    expected = all_units(runner._context)
    assert len(computed) == len(expected)
    assert set(computed) == set(expected)


def test_in_a_process_of_its_own_a_fold_stands_alone(small_data):
    runner = runner_of("train.engine=vectorised", "train.folds_at_once=3", alone=True)
    assert [len(task) for task in runner.tasks(NETWORK)] == [1, 1, 1]


def test_a_network_that_cannot_is_refused_before_anything_is_trained(small_data):
    with pytest.raises(UserError, match="statistics"):
        run(small("train.engine=vectorised", "rows.0.method=resnet10"))


def test_weights_from_elsewhere_are_tested_one_by_one(small_data, tmp_path):
    config = small("train.engine=vectorised", "train.folds_at_once=3")
    runner = TaskRunner(compose(config, "quick", "real", weights=_weights(tmp_path)))
    assert [len(task) for task in runner.tasks(NETWORK)] == [1, 1, 1]


def _weights(folder):
    from mer_keras.models import registry

    file = folder / "net.weights.h5"
    registry.build("ststnet", (28, 28, 3), 3).save_weights(file)
    return file
