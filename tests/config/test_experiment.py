"""Experiments: keys that differ, rows that run, recipes that are merged, digests."""

import pytest
from pydantic import ValidationError

from mer_keras.config.experiment import SCHEMA_VERSION, Experiment, Published, merge
from mer_keras.config.files import load_experiments, load_method, method_names
from mer_keras.config.training import Train
from tests.config.small import FILE, SMALL, SVM, experiment


class TestKeys:
    """No two rows of an experiment share a key, since keys name files."""

    @pytest.mark.parametrize(
        "names",
        [
            ("own", "own"),
            ("Own method", "own-method"),
            ("a" * 60 + " first", "a" * 60 + " second"),  # A key has 60 characters.
            ("微表情", "面部"),  # Neither has a letter that a key keeps.
            ("own", " own "),
            ("own", "OWN"),
        ],
    )
    def test_rows(self, names):
        rows = [{"name": name, "method": "resnet10"} for name in names]
        with pytest.raises(ValidationError, match="would have one key"):
            experiment(rows=rows)

    def test_a_quoted_row_has_a_key_too(self):
        with pytest.raises(ValidationError, match="would have one key"):
            experiment(rows=[{"name": "own", "method": "resnet10"}, {"name": "Own"}])

    def test_a_row_and_a_baseline(self):
        baseline = {"majority": {"title": "majority", "chance": {"strategy": "most_frequent"}}}
        config = experiment(
            rows=[{"name": "majority", "method": "resnet10"}],
            baselines=["majority"],
            methods=baseline,
        )
        assert [plan.key for plan in config.plans] == ["majority", "baseline-majority"]
        with pytest.raises(ValidationError, match="would have one key, 'baseline-majority'"):
            experiment(
                rows=[{"name": "Baseline: majority", "method": "resnet10"}],
                baselines=["majority"],
                methods=baseline,
            )

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"seeds": [0, 1, 0]}, "seeds must differ"),
            ({"seeds": []}, "at least 1 item"),
            ({"baselines": ["majority", "majority"]}, "baselines must differ"),
            ({"selection": "external"}, "set by --weights"),
            ({"rows": []}, "at least 1 item"),
            ({"inputs": {}}, "at least 1 item"),
            ({"inputs": {"a.b": {"kind": "frames"}}}, r"input name 'a\.b': expected letters"),
            ({"inputs": {"clips\n": {"kind": "frames"}}}, "expected letters"),
            ({"name": "../elsewhere"}, "pattern"),
            ({"name": "/absolute"}, "pattern"),
        ],
    )
    def test_what_else_must_differ_or_be_there(self, changes, complaint):
        with pytest.raises(ValidationError, match=complaint):
            experiment(**changes)


class TestRows:
    def test_a_row_runs_if_it_has_a_method_that_can_run(self):
        quoted = {"title": "old", "missing": "It needs a mesh."}
        config = experiment(
            rows=[
                {"name": "network", "method": "resnet10"},
                {"name": "described", "method": "old"},
                {"name": "switched off", "method": "resnet10", "runs": False},
                {"name": "numbers only"},
                {"name": "classical", "method": "svm"},
            ],
            methods={"old": quoted, "svm": SVM},
        )
        assert [plan.name for plan in config.plans] == ["network", "classical"]
        assert [config.plan_of(row) is not None for row in config.rows] == [
            *(True, False, False, False, True)
        ]

    def test_baselines_come_last_under_the_titles_of_their_methods(self):
        config = experiment(baselines=["svm"], methods={"svm": SVM})
        assert [(plan.role, plan.name) for plan in config.plans] == [
            ("row", "own"),
            ("baseline", "SVM"),
        ]

    def test_quoted_is_a_property_of_numbers(self):
        own = {"name": "acc", "value": 50, "metric": "war"}
        quoted = own | {"quoted": True}
        rows = [
            {"name": "both", "method": "resnet10", "published": [own, quoted]},
            {"name": "quoted", "method": "resnet10", "published": [quoted, quoted]},
            {"name": "none"},
        ]
        config = experiment(rows=rows)
        assert [row.quoted for row in config.rows] == [False, True, False]
        assert len(config.plans) == 2, "a row of quoted numbers runs if it has a method"

    def test_arguments_stand_over_those_of_the_method(self):
        method = {"title": "t", "network": {"model": "meranet", "arguments": {"a": 1, "b": 2}}}
        config = experiment(
            rows=[{"name": "own", "method": "m", "arguments": {"b": 3}}], methods={"m": method}
        )
        assert config.plans[0].config.network.arguments == {"a": 1, "b": 3}
        assert config.methods["m"].network.arguments == {"a": 1, "b": 2}
        svm = SVM | {"classical": {"classifier": "linear_svm", "arguments": {"a": 1}}}
        config = experiment(
            rows=[{"name": "own", "method": "m", "arguments": {"a": 2}}], methods={"m": svm}
        )
        assert config.plans[0].config.classical.arguments == {"a": 2}

    def test_arguments_of_a_method_that_has_none(self):
        methods = {"m": {"title": "dice", "chance": {"strategy": "stratified"}}}
        rows = [{"name": "own", "method": "m", "arguments": {"sides": 6}}]
        with pytest.raises(ValidationError, match="'dice' takes no arguments, found sides"):
            experiment(rows=rows, methods=methods)

    @pytest.mark.parametrize(
        ("row", "methods"),
        [
            ({"name": "own", "method": "resnet10", "input": "clip"}, {}),
            ({"name": "own", "method": "resnet10", "input": ["clips", "clip"]}, {}),
            ({"name": "own", "method": "svm"}, {"svm": SVM | {"input": "clip"}}),
        ],
    )
    def test_an_unknown_input_names_the_row(self, row, methods):
        with pytest.raises(ValidationError, match=r"row 'own' reads input 'clip' \(did you mean"):
            experiment(rows=[row], methods=methods)

    @pytest.mark.parametrize(
        "names", ["", [], [""], ["clips", ""], "a.b", "a\nb", ["clips", "a b"]]
    )
    def test_a_row_names_an_input_or_leaves_it_out(self, names):
        with pytest.raises(
            ValidationError, match=r"names no input|input name .*: expected letters"
        ):
            experiment(rows=[{"name": "own", "method": "resnet10", "input": names}])
        with pytest.raises(
            ValidationError, match=r"names no input|input name .*: expected letters"
        ):
            experiment(methods={"svm": SVM | {"input": names}})

    def test_a_copy_has_plans_of_its_own(self):
        config = experiment()
        rows = tuple(config.rows[0].model_copy(update={"name": name}) for name in "ab")
        copy = config.model_copy(update={"rows": rows})
        assert [plan.key for plan in copy.plans] == ["a", "b"]
        assert [plan.key for plan in config.plans] == ["own"]
        assert config.model_copy() == config


TRAIN = {
    "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    "epochs": 9,
    "batch_size": 8,
    "plateau": {"factor": 0.5, "patience": 2},
}


class TestRecipes:
    def recipe(self, row=None, method=None):
        methods = {"m": {"title": "t", "network": {"model": "ststnet"}, "train": method or {}}}
        rows = [{"name": "own", "method": "m", "train": row or {}}]
        return experiment(train=TRAIN, rows=rows, methods=methods).plans[0].recipe

    def test_without_changes_it_is_the_experiments(self):
        assert self.recipe() == Train.model_validate(TRAIN)

    def test_a_method_changes_it_and_the_row_has_the_last_word(self):
        recipe = self.recipe(method={"epochs": 5, "batch_size": 4}, row={"epochs": 6})
        assert (recipe.epochs, recipe.batch_size) == (6, 4)

    def test_blocks_are_merged(self):
        recipe = self.recipe(method={"optimizer": {"learning_rate": 0.01}})
        assert recipe.optimizer.learning_rate == 0.01
        assert recipe.optimizer.momentum == 0.9

    def test_an_empty_value_takes_a_block_away(self):
        recipe = self.recipe(row={"plateau": None, "cosine": {}})
        assert recipe.plateau is None
        assert recipe.cosine is not None

    @pytest.mark.parametrize(
        ("train", "complaint"),
        [
            ({"epoch": 5}, r"row 'own': train\.epoch: unknown key \(did you mean 'epochs'"),
            ({"optimizer": {"learning_rate": -1}}, r"row 'own': train\.optimizer\.learning_rate"),
            ({"cosine": {}}, "row 'own': train: .*at most one of"),
            ({"optimizer": {"name": "adam"}}, "row 'own'.*belong to sgd"),
        ],
    )
    @pytest.mark.parametrize("where", ["row", "method"])
    def test_errors_name_the_row(self, where, train, complaint):
        with pytest.raises(ValidationError, match=complaint):
            self.recipe(**{where: train})


#: A table's own recipe that has everything that a method of another paper lacks.
BUSY = {
    "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.5, "weight_decay": 0.1},
    "epochs": 9,
    "batch_size": 8,
    "early_stopping": {"patience": 3},
    "balance": "oversample",
    "augmentation": {"flip": 0.5},
    "standardise": True,
}
#: One that has nothing but what it must.
BARE = {"optimizer": {"learning_rate": 0.1}, "epochs": 9, "batch_size": 8}
WHOLE_RECIPES = [
    name
    for name in method_names()
    if load_method(name).network is not None and {*BARE} <= load_method(name).train.keys()
]


@pytest.mark.parametrize(
    "schedule",
    [
        {"plateau": {"factor": 0.5, "patience": 2}},
        {"step_decay": {"factor": 0.5, "every": 2}},
        {"cosine": {"final_learning_rate": 0.01}},
        {"optimizer": {"name": "adam", "learning_rate": 0.1, "warmup": "linear"}},
    ],
    ids=lambda schedule: next(iter(schedule)),
)
@pytest.mark.parametrize("name", WHOLE_RECIPES)
def test_a_method_that_brings_its_recipe_takes_no_schedule_and_copies_of_the_tables(name, schedule):
    method = load_method(name)
    tables = BUSY | schedule, BARE
    first, second = (Train.model_validate(merge(table, method.train)) for table in tables)
    assert first == second


def test_rows_whose_recipe_is_not_the_tables_are_known():
    (config,) = load_experiments("leaderboard/megc2019_networks", overrides=["train.epochs=5"])
    apart = config.rows_apart("epochs")
    own = {p.name for p in config.plans if p.config.network is not None and p.recipe.epochs != 5}
    assert set(apart) == own
    assert "OFF-ApexNet" in apart
    assert experiment().rows_apart("epochs") == []
    rows = [{"name": "a", "method": "resnet10", "train": {"optimizer": {"learning_rate": 0.7}}}]
    assert experiment(rows=rows).rows_apart("optimizer") == ["a"]
    assert experiment(rows=rows).rows_apart("optimizer.name") == []


class TestDigest:
    def test_it_ignores_spelling_but_not_values(self):
        config = experiment()
        assert Experiment.model_validate(config.model_dump(mode="json")).digest() == config.digest()
        assert experiment(seeds=[0]).digest() == config.digest(), "a default that is spelt out"
        assert experiment(seeds=[1]).digest() != config.digest()

    @pytest.mark.parametrize(
        ("written", "otherwise"),
        [
            ({"data": SMALL["data"] | {"database": ["samm"]}}, {}),
            ({"data": SMALL["data"] | {"labels": {"samm": "samm3"}}}, {}),
            (
                {"data": {"database": ["samm", "smic"], "labels": {"samm": "x", "smic": "x"}}},
                {"data": {"database": ["samm", "smic"], "labels": "x"}},
            ),
            (
                {"rows": [{"name": "own", "method": "resnet10", "input": ["clips"]}]},
                {"rows": [{"name": "own", "method": "resnet10", "input": "clips"}]},
            ),
            (
                {"methods": {"svm": SVM | {"input": ["clips"]}}},
                {"methods": {"svm": SVM | {"input": "clips"}}},
            ),
            (
                {"rows": [{**SMALL["rows"][0], "train": {"optimizer": {"learning_rate": "1e-3"}}}]},
                {"rows": [{**SMALL["rows"][0], "train": {"optimizer": {"learning_rate": 0.001}}}]},
            ),
            ({"not_inherited": ["whence a value came"]}, {}),
        ],
    )
    def test_one_meaning_has_one_digest(self, written, otherwise):
        assert experiment(**written).digest() == experiment(**otherwise).digest()

    def test_defaults_are_part_of_it(self):
        """A default that changes makes other digests; so does what configs mean.

        Where this fails after a default was changed, the change is one that stored runs notice.
        Raise ``SCHEMA_VERSION`` where equal configs give other results, and pin the new digest.
        """
        blocks = {"early_stopping": {"patience": 3}, "augmentation": {}, "cosine": {}}
        magnification = {"alpha": 8, "low": 0.4, "high": 3}
        config = experiment(
            inputs={"clips": {"kind": "frames", "magnification": magnification}},
            train=SMALL["train"] | blocks,
            stages=FILE["stages"],
            methods={"svm": SVM, "network": {"title": "t", "network": {"model": "ststnet"}}},
        )
        assert SCHEMA_VERSION == 3
        assert config.digest() == "47329f7a920b03b92a1d08a200148030"


def test_published_values_as_fractions():
    number = Published(name="acc", value=78.33, metric="war")
    assert number.fraction == pytest.approx(0.7833)
    assert Published(name="f", value=0.5, unit="fraction", metric="uf1").fraction == 0.5
    assert Published(name="p", value=7, unit="count", metric="parameters").fraction == 7


def test_merge():
    below = {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 5}
    above = {"a": {"b": 3, "f": 4}, "d": [9], "e": None, "g": None}
    assert merge(below, above) == {"a": {"b": 3, "c": 2, "f": 4}, "d": [9]}
    assert below == {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 5}


@pytest.mark.parametrize("seed", [True, -1, 2**32, 1.0, "1"])
def test_a_seed_is_a_number_that_every_library_takes(seed):
    with pytest.raises(ValidationError, match="seeds"):
        experiment(seeds=[seed])
