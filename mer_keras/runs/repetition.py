"""How a stored run was run, so that somebody can go on with it or compute it again."""

from mer_keras.config.experiment import Experiment
from mer_keras.databases.registry import find
from mer_keras.errors import ResultsError, UserError
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.stored_manifest import read_manifest, stored_config
from mer_keras.terms import DataKind


def how_it_was_run(folder: RunFolder) -> tuple[Experiment, str, str]:
    """The config of a run, its profile, and its data as ``compose`` takes them.

    Raises:
        UserError: the run had weights from elsewhere, so that it can't be repeated.
        ResultsError: the manifest is none, or its config is not one of this version.
    """
    stored = read_manifest(folder.path)
    config = stored_config(stored)
    if config is None:
        raise ResultsError(
            f"{folder.path}: the config is of another version of this program, or was changed "
            "after the run: run the experiment anew"
        )
    profile, synthetic = str(stored["profile"]), stored["data_kind"] == DataKind.SYNTHETIC
    stages = stored.get("stages", [])
    if stored["identity"].get("weights") or any(stage.get("start_from") for stage in stages):
        raise UserError(
            f"{folder.path}: was run with weights from elsewhere, which aren't stored: only the "
            "run's own command goes on with it"
        )
    # Synthetic clips may lie in a folder of databases, as any other.
    in_folder = synthetic and all(map(find, config.data.databases))
    return config, profile, "synthetic" if synthetic and not in_folder else "real"
