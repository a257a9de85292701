"""The smallest experiment that is one."""

from mer_keras.config.experiment import Experiment

SMALL = {
    "name": "paper/table1",
    "paper": {"title": "t", "authors": "a", "venue": "v", "year": 2020},
    "table": "Table 1",
    "caption": "c",
    "data": {"database": "samm", "labels": "cde3_samm"},
    "inputs": {"clips": {"kind": "frames"}},
    "protocol": {"name": "loso"},
    "selection": "last_epoch",
    "train": {"optimizer": {"learning_rate": 0.1}, "epochs": 9, "batch_size": 8},
    "rows": [{"name": "own", "method": "resnet10"}],
}


def experiment(**changes):
    """The small experiment with other values of some fields."""
    return Experiment.model_validate(SMALL | changes)
