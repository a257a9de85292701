"""A small experiment with everything that a file may hold, and a smaller one."""

import yaml

from mer_keras.config.experiment import Experiment

SMALL = {
    "name": "paper/table1",
    "paper": {"title": "t", "authors": "a", "venue": "v", "year": 2020},
    "table": "Table 1",
    "caption": "c",
    "data": {"database": "samm", "labels": "samm3"},
    "inputs": {"clips": {"kind": "frames"}},
    "protocol": {"name": "loso"},
    "selection": "last_epoch",
    "train": {"optimizer": {"learning_rate": 0.1}, "epochs": 9, "batch_size": 8},
    "rows": [{"name": "own", "method": "resnet10"}],
}
#: As a file holds it, with profiles.
FILE = SMALL | {
    "also_reproduces": ["figure2"],
    "data": {
        "database": ["samm", "casme2"],
        "labels": {"samm": "cde3_samm", "casme2": "cde3_casme2"},
    },
    "inputs": {
        "clips": {"kind": "frames", "frames": 1, "sampling": "apex", "size": 64},
        "motion": {"kind": "flow", "size": 28, "flow": {"output": "magnitude"}},
    },
    "protocol": {"name": "cde"},
    "stages": [
        {
            "name": "first",
            "sources": [{"database": "ckplus", "labels": "macro3"}],
            "train": {"optimizer": {"learning_rate": 0.1}, "epochs": 7, "batch_size": 8},
        }
    ],
    "rows": [
        {"name": "own", "method": "resnet10", "published": []},
        {
            "name": "other",
            "published": [
                {"name": "acc", "value": 50, "metric": "war", "part": "b", "quoted": True}
            ],
        },
    ],
    "profiles": {"full": {}, "quick": {"train.epochs": 2, "stages.0.train.epochs": 1}},
}
SVM = {"title": "SVM", "classical": {"classifier": "linear_svm"}}


def experiment(**changes):
    """The small experiment with other values of some fields."""
    return Experiment.model_validate(SMALL | changes)


def write(folder, name, tree):
    """Write a YAML file ``experiments/<name>.yaml`` and return its path."""
    file = folder / f"experiments/{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(tree, sort_keys=False))
    return file
