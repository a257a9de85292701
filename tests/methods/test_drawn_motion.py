"""Three features find the motion of drawn faces, and find nothing where none is drawn."""

import pytest

from mer_keras.config.files import find_config, load_config
from mer_keras.evaluation.metrics import bootstrap_interval, scores
from mer_keras.report.view import read_view
from mer_keras.runs.run import run_experiment

pytestmark = pytest.mark.long

#: Experiments on one database with five classes each, of which single rows are run.
EXPERIMENTS = {"samm": "dense_mixed_attention/table8", "casme2": "dense_mixed_attention/table7"}
FEATURES = ("lbp_top", "higo_top", "bi_woof")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Drawn faces, their flow and their features serve all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("data", "cache", "results"):
            patch.setenv(f"MER_{name.upper()}", str(tmp_path_factory.mktemp(name)))
        yield


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("motion", [True, False])
@pytest.mark.parametrize("database", EXPERIMENTS)
def test_motion_is_found_where_there_is_some(database, motion):
    rows = ", ".join(f"{{name: {feature}, method: {feature}}}" for feature in FEATURES)
    config = load_config(
        find_config(EXPERIMENTS[database])[0],
        overrides=[
            f"rows=[{rows}]",
            "baselines=[]",
            "stages=[]",
            "selection=last_epoch",  # No clips are held back: training subjects choose C.
            f"data.synthetic_motion={str(motion).lower()}",
        ],
    )
    run = run_experiment(config, profile="full", data="synthetic")
    view = read_view(run.path)
    for row in view.rows:
        tested = view.of_row(row.key)
        labels, predicted = tested["label"].tolist(), tested["predicted"].tolist()
        people = tested["subject_id"].tolist()
        uar = scores(labels, predicted, view.classes).uar
        low, _ = bootstrap_interval(labels, predicted, people, view.classes, "uar")
        if motion:
            assert low > 1 / 5, f"{row.name}: UAR {uar:.3f}, from {low:.3f}"
        else:
            # Over divisions of subjects, UAR without motion deviates by 0.03 from chance.
            assert uar < 1 / 5 + 3 * 0.03, f"{row.name}: UAR {uar:.3f}, from {low:.3f}"
