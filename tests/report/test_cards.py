"""Cards from the registries, and what trackers are told."""

import re
import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import pytest

from mer_keras.databases.registry import DATABASES
from mer_keras.errors import UserError
from mer_keras.models.registry import MODELS
from mer_keras.models.specs import ModelSpec
from mer_keras.report import tracking
from mer_keras.report.cards import data_card, model_card
from tests.report.stored import SECRET, make_run


@pytest.mark.parametrize("name", MODELS)
def test_every_network_has_a_card(name):
    text, spec = model_card(name), MODELS[name]
    assert f"{spec.built_parameters:,}" in text
    assert spec.paper in text
    assert "Not for lie detection" in text
    assert "None" not in text


def test_a_network_without_counts_has_a_card(monkeypatch):
    facts = {"name": "own", "title": "own", "paper": "nobody", "builder": "x:y", "classes": 3}
    monkeypatch.setitem(MODELS, "own", ModelSpec(**facts, input_shape=(4, 4, 1)))
    text = model_card("own")
    assert "| parameters, built | - |" in text and "Nothing is noted." in text
    assert "None" not in text


@pytest.mark.parametrize("name", DATABASES)
def test_every_database_has_a_card(name):
    text, database = data_card(name), DATABASES[name]
    assert database.whom_to_ask in text
    for emotion, count in database.counts.items():
        assert f"| {emotion} | {count} |" in text
    assert "personal data" in text


def test_cards_name_their_experiments():
    assert "`shallow_convlstm/table1`, Proposed ConvLSTM: samm" in model_card("shallow_convlstm")
    assert "`dense_mixed_attention/table5`, before the folds" in data_card("fer2013")
    assert "known errors" in data_card("casme2").lower()
    assert "known errors" not in data_card("mug").lower()


def test_unknown_names_are_said():
    with pytest.raises(UserError):
        model_card("resnet99")
    with pytest.raises(UserError):
        data_card("nowhere")


class TestTensorBoard:
    def test_curves_and_pooled_metrics_are_written_without_names(self, tmp_path):
        pytest.importorskip("tensorboard")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        view = make_run(tmp_path / "runs")
        assert tracking.to_tensorboard(view, tmp_path / "logs") == 4
        folder = tmp_path / "logs" / view.run_id / "proposed-convlstm"
        events = EventAccumulator(str(folder / "training-001")).Reload()
        assert set(events.Tags()["tensors"]) == {"loss", "accuracy"}
        assert [event.step for event in events.Tensors("loss")] == [1, 2, 3]
        # A second call replaces what it wrote, so that no curve is drawn twice.
        tracking.to_tensorboard(view, tmp_path / "logs")
        assert len(list(folder.glob("training-001/*"))) == 1
        names = [str(path) for path in (tmp_path / "logs").rglob("*")]
        assert not [name for name in names if SECRET in name]
        assert not [
            path
            for path in (tmp_path / "logs").rglob("*events*")
            if SECRET.encode() in path.read_bytes()
        ]


class TestMLflow:
    def test_rows_become_runs(self, tmp_path):
        mlflow = pytest.importorskip("mlflow")
        view = make_run(tmp_path / "runs")
        uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
        assert tracking.to_mlflow(view, uri) == (2, 0)
        runs = mlflow.search_runs(experiment_names=[view.manifest["experiment"]])
        assert set(runs["tags.data_kind"]) == {"licensed"}
        assert runs["metrics.uf1"].between(0, 1).all()
        assert SECRET not in runs.to_json()

    def test_rows_that_were_sent_before_are_updated(self, tmp_path):
        mlflow = pytest.importorskip("mlflow")
        uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
        view = make_run(tmp_path / "runs", skip={("proposed-convlstm", "fold-1")})
        assert tracking.to_mlflow(view, uri) == (2, 0)
        assert tracking.to_mlflow(make_run(tmp_path / "whole"), uri) == (2, 2)
        runs = mlflow.search_runs(experiment_names=[view.manifest["experiment"]])
        assert len(runs) == 2
        assert not runs["tags.folds"].str.contains("INCOMPLETE").any()
        assert runs["metrics.uf1"].between(0, 1).all()

    @pytest.mark.parametrize("uri", ["ftp://x/y", "sqlite:///{}/no.db"])
    def test_fault_66_what_it_refuses_ends_with_our_words(self, tmp_path, uri):
        pytest.importorskip("mlflow")
        (tmp_path / "no.db").write_text("no database, whatever it is called")
        with pytest.raises(UserError, match=r"MLflow doesn't take the run: .*sqlite:///FILE"):
            tracking.to_mlflow(make_run(tmp_path / "runs"), uri.format(tmp_path))


class FakeMLflow(ModuleType):
    """Stands in for MLflow: it holds the runs that it was sent, and filters them by one tag."""

    def __init__(self):
        super().__init__("mlflow")
        self.runs, self.current = [], None

    def set_tracking_uri(self, uri):
        pass

    def set_experiment(self, name):
        pass

    def search_runs(self, experiment_names, filter_string, output_format):
        tag, value = re.fullmatch(r"tags\.(\w+) = '([^']*)'", filter_string).groups()
        assert output_format == "list"
        return [run for run in self.runs if run.data.tags.get(tag) == value]

    @contextmanager
    def start_run(self, run_name, run_id=None):
        if run_id is None:
            data = SimpleNamespace(tags={}, params={}, metrics={})
            info = SimpleNamespace(run_id=f"id{len(self.runs)}")
            self.runs.append(SimpleNamespace(info=info, data=data))
            run_id = info.run_id
        (self.current,) = [run.data for run in self.runs if run.info.run_id == run_id]
        yield

    def set_tags(self, tags):
        self.current.tags.update(tags)

    def log_params(self, params):
        assert not self.current.params
        self.current.params.update(params)

    def log_metrics(self, metrics):
        self.current.metrics.update(metrics)


def test_a_run_that_is_sent_again_makes_no_second_one(tmp_path, monkeypatch):
    mlflow = FakeMLflow()
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    unfinished = make_run(tmp_path / "runs", skip={("proposed-convlstm", "fold-1")})
    assert tracking.to_mlflow(unfinished, "x") == (2, 0)
    assert not mlflow.runs[0].data.metrics
    assert tracking.to_mlflow(make_run(tmp_path / "whole"), "x") == (2, 2)
    assert len(mlflow.runs) == 2
    assert mlflow.runs[0].data.metrics and "INCOMPLETE" not in mlflow.runs[0].data.tags["folds"]
    # Another run has rows of the same keys, and is another run there too.
    mlflow.runs[0].data.tags["run_id"] = "another"
    assert tracking.to_mlflow(unfinished, "x") == (2, 1)


def test_fault_66_whatever_a_tracker_raises_is_told_in_one_line():
    said = "logs: Tracker doesn't take the run: first: expected x"
    with pytest.raises(UserError, match=said), tracking._foreign_errors("logs", "Tracker", "x"):
        raise RuntimeError("first\nsecond")
    with pytest.raises(PermissionError), tracking._foreign_errors("logs", "Tracker", "x"):
        raise PermissionError("the system's own word")


def test_fault_67_settings_of_a_received_run_have_names_that_mlflow_takes(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    view = make_run(tmp_path / "runs")
    view.manifest["config"]["train"] |= {"a b\n<": 1, "": 2}
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert tracking.to_mlflow(view, uri) == (2, 0)
    runs = mlflow.search_runs(experiment_names=[view.manifest["experiment"]])
    assert set(runs["params.a b__"]) == {"1"}


@pytest.mark.parametrize("send", [tracking.to_tensorboard, tracking.to_mlflow])
def test_an_absent_tracker_says_how_to_get_it(tmp_path, monkeypatch, send):
    import builtins

    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] in ("tensorboard", "mlflow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    view = make_run(tmp_path)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"\[tracking\]"):
        send(view, tmp_path / "x")


def test_an_unfinished_row_sends_no_metric(tmp_path):
    view = make_run(tmp_path, skip={("proposed-convlstm", "fold-1")})
    row = view.rows[0]
    assert list(tracking._pooled(view, row)) == []
    assert "INCOMPLETE" in tracking._tags(view, row)["folds"]
