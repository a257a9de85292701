"""Descriptions of methods: of one kind, or with what is missing."""

import pytest
from pydantic import ValidationError

from mer_keras.config.files import load_experiments, load_method, method_names
from mer_keras.config.method import MethodConfig, Paper
from mer_keras.errors import ConfigError
from tests.config.small import FILE, SVM

NETWORK = {"network": {"model": "ststnet"}}


@pytest.mark.parametrize("name", method_names())
def test_every_description_is_valid(name):
    method = load_method(name)
    assert method.title
    assert method.about
    assert method.runs or method.paper, "a method that is only described has a paper"


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "say in 'missing'"),
        (NETWORK | {"missing": "much"}, "say in 'missing'"),
        (NETWORK | {"chance": {"strategy": "stratified"}}, "at most one"),
        ({"network": {"mode": "x"}}, "Extra inputs"),
        ({"chance": {"strategy": "uniform"}}, "most_frequent"),
        ({"classical": {"classifier": "linear_svm", "choices": {"C": []}}}, "at least 1 item"),
        ({"missing": "x", "claims": [{"where": "Table 1", "value": 5}]}, "metric"),
    ],
)
def test_it_is_of_one_kind_or_says_what_is_missing(values, complaint):
    with pytest.raises(ValidationError, match=complaint):
        MethodConfig.model_validate({"title": "t"} | values)


def test_arguments_leave_the_method_itself_alone():
    method = MethodConfig.model_validate({"title": "t"} | NETWORK)
    assert method.with_arguments({}) is method
    assert method.with_arguments({"a": 1}).network.arguments == {"a": 1}
    assert method.network.arguments == {}


def test_the_short_name_of_a_paper_has_its_year_once():
    fields = {"title": "t", "authors": "Zhao, Pietikäinen", "year": 2007}
    assert Paper(venue="TPAMI", **fields).short == "Zhao et al., TPAMI 2007"
    assert Paper(venue="TPAMI 2007", **fields).short == "Zhao et al., TPAMI 2007"


class TestFiles:
    """Descriptions are looked up in the file, the working folder, then beside the package."""

    ROWS = FILE | {
        "name": "paper/table2",
        "rows": [{"name": "own", "method": "merghani"}],
        "baselines": ["majority"],
    }

    def load(self):
        (config,) = load_experiments("paper/table2")
        return config

    def test_descriptions_become_part_of_the_experiment(self, add):
        add("paper/table2", self.ROWS)
        assert self.load().methods["majority"].chance.strategy == "most_frequent"
        assert not self.load().methods["merghani"].runs

    def test_those_of_the_working_folder_come_first(self, add):
        add("methods/merghani", SVM)
        add("paper/table2", self.ROWS)
        assert self.load().methods["merghani"].title == "SVM"
        assert [plan.method for plan in self.load().plans] == ["merghani", "majority"]

    def test_those_of_the_file_itself_win(self, add):
        add("methods/merghani", SVM)
        add("paper/table2", self.ROWS | {"methods": {"merghani": SVM | {"title": "mine"}}})
        assert self.load().methods["merghani"].title == "mine"
        assert "majority" in self.load().methods

    def test_one_without_a_title_changes_the_described_one(self, add):
        own = {
            "macnn": {"train": {"epochs": 2, "optimizer": {"learning_rate": 0.5}}},
            "rcn": {"train": {"epochs": 2}},
        }
        rows = [{"name": "own", "method": "macnn"}]
        inputs = FILE["inputs"] | {"flow_112": {"kind": "flow_image"}}
        add("paper/table2", self.ROWS | {"methods": own, "rows": rows, "inputs": inputs})
        config = self.load()
        described, changed = load_method("macnn"), config.methods["macnn"]
        assert changed.network == described.network and changed.facts == described.facts
        assert changed.train == described.train | {
            "epochs": 2,
            "optimizer": described.train["optimizer"] | {"learning_rate": 0.5},
        }
        assert "rcn" not in config.methods, "no row names it"

    def test_names_of_the_working_folder_are_listed(self, add):
        add("methods/own_method", SVM)
        assert method_names()[0] == "own_method"
        assert "lbp_top" in method_names()

    def test_a_wrong_description_is_named(self, add):
        add("methods/merghani", {"titel": "x"})
        add("paper/table2", self.ROWS)
        with pytest.raises(ConfigError, match=r"merghani\.yaml: .*titel.*did you mean 'title'"):
            self.load()

    @pytest.mark.parametrize("name", ["../paper/table1", "/etc/passwd", "", "\0", "a/b", "x" * 999])
    def test_a_name_is_no_path(self, add, name):
        assert load_method(name) is None
