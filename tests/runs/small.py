"""The smallest run that is one: seconds, six folds of two rows."""

from pathlib import Path

from mer_keras.config.files import load_config
from mer_keras.runs.run import run_experiment
from mer_keras.runs.units import Unit, units_of
from mer_keras.synthetic import stand_ins

TABLE1 = Path(__file__).parents[2] / "experiments/shallow_convlstm/table1.yaml"
SMALL = [
    "inputs.clips={kind: frames, frames: 1, size: 28, channels: 3, sampling: apex}",
    "train.epochs=2",
    "train.balance=none",
    "train.augmentation=null",
    "protocol.k=3",
    "rows.0.method=ststnet",  # It is the smallest network.
    "rows.1.runs=false",
    "rows.2.runs=false",
    "baselines=[majority]",
]
#: Keys of the two rows.
NETWORK, BASELINE = "proposed-convlstm", "baseline-majority"


def small(*changes):
    """The config of the small run, with changes."""
    return load_config(TABLE1, profile="quick", overrides=[*SMALL, *changes])


def write_database(data):
    """Write a small SAMM into a folder of databases."""
    stand_ins.write("samm", data / "SAMM", stand_ins.StandInOptions(clips=24, size=24))


def run(config, **options):
    """Run a config on the database that ``write_database`` wrote."""
    return run_experiment(config, profile="quick", data="real", **options)


def units(folder):
    """All units of a run."""
    of_rows = units_of(folder.manifest(), folder.folds()).values()
    return [unit for of_row in of_rows for unit in of_row]


def stored(folder):
    """All predictions of a run."""
    return folder.predictions(units(folder))


def contents(path, *suffixes):
    """Every file of predictions and trajectories of a run folder, byte for byte."""
    root = path / "predictions"
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.suffix in (suffixes or (".parquet", ".npy"))
    }


def unit(row=NETWORK, fold="fold-1", seed=0):
    """One unit of the small run."""
    return Unit(row, seed, fold)
