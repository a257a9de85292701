"""Targets that whoever ran an experiment or trained a bundle hands over."""

import contextlib
import hashlib
import json
import shutil

from mer_keras.bundles.choices import Choice
from mer_keras.bundles.fitting import fit, write_bundle
from mer_keras.bundles.loading import load_bundle
from mer_keras.bundles.packing import CARD
from mer_keras.config.experiment import Experiment
from mer_keras.errors import MerKerasError, ResultsError
from mer_keras.leaderboard.writing import contribution_files
from mer_keras.report.details import details_of
from mer_keras.report.document import provenance
from mer_keras.report.status import _status
from mer_keras.report.tables import tables_of
from mer_keras.report.view import read_view
from mer_keras.runs.identity import run_id_of
from mer_keras.runs.naming import read_stored_run
from mer_keras.training.learned import members_of, zip_of
from tests.bundles.small import context_of, experiment, plan_of
from tests.fuzz.mutation import mutated, mutated_json, mutated_zip
from tests.report.stored import CONFIG, make_run


def bundle_target(folder):
    """Bundles: the archive, and members whose digests agree."""
    config = experiment("linear_svm")
    file = folder / "one.mer"
    write_bundle(fit(context_of(config), Choice(plan_of(config))), file)
    seed = file.read_bytes()

    def change(rng, data):
        if rng.random() < 0.2:
            return mutated_zip(rng, data)
        members = members_of(data, "seed", 10)
        victim = rng.choice([*members, CARD, "members/0.npz"])
        if victim == CARD:
            members[CARD] = mutated_json(rng, members[CARD])
            return zip_of(members)
        is_archive = victim.endswith(".npz") and rng.random() < 0.6
        content = members[victim]
        members[victim] = mutated_member(rng, content) if is_archive else mutated(rng, content)
        card = json.loads(members[CARD])
        card["files"][victim] = {
            "sha256": hashlib.sha256(members[victim]).hexdigest(),
            "bytes": len(members[victim]),
        }
        members[CARD] = json.dumps(card).encode()
        return zip_of(members)

    def read(data):
        file.write_bytes(data)
        load_bundle(file)

    return [seed], change, read


def mutated_member(rng, data):
    """Change one array, or the facts, of a file of what was learned."""
    members = members_of(data, "seed", 100)
    victim = rng.choice(list(members))
    change = mutated_json if victim.endswith(".json") else mutated
    members[victim] = change(rng, members[victim])
    return zip_of(members)


def run_target(folder):
    """Run folders: any file changed, and what binds it changed with it; then what verbs read."""
    path = make_run(folder, record_epochs=True, copies=True, folder="run").path
    names = {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.suffix in (".json", ".parquet", ".npy") and ".failed" not in file.name
    }
    shown = ["manifest.json"] * 6 + ["folds.json"] * 2
    shown += [name for name in names if "fold-1" in name] * 2

    def change(rng, data):
        name, _, content = data.partition(b"\n")
        by_form = mutated_json if name.endswith(b".json") else mutated
        return name + b"\n" + by_form(rng, content)

    def read(data):
        line, _, content = data.partition(b"\n")
        name = line.decode()
        if name not in names:
            raise MerKerasError("no file of the run")
        try:
            (path / name).write_bytes(content)
            _bind(path, name)
            _show(path)
        finally:
            shutil.rmtree(path)
            for other, whole in names.items():
                (path / other).parent.mkdir(parents=True, exist_ok=True)
                (path / other).write_bytes(whole)

    return [f"{name}\n".encode() + names[name] for name in shown], change, read


def _bind(path, name):
    """Make what names a changed file agree with it, as somebody thorough would."""
    file = path / name
    if file.suffix in (".parquet", ".npy"):
        record = json.loads(file.with_suffix(".json").read_bytes())
        digest = hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
        record["checksums"][file.suffix] = digest
        file.with_suffix(".json").write_text(json.dumps(record))
    if name != "manifest.json":
        return
    try:
        tree = json.loads(file.read_bytes())
        config = Experiment.model_validate(tree["config"])
        tree["config_digest"] = tree["identity"]["config"] = config.digest()
        tree["run_id"] = run_id_of(
            tree["experiment"], tree["profile"], tree["data_kind"], tree["identity"]
        )
        file.write_text(json.dumps(tree))
    except Exception:
        return  # It stays as it was changed.


def _show(path):
    """What status, report and contribute read of a run, but for drawings."""
    _status(read_stored_run(path))
    view = read_view(path)
    config = view.config if view.manifest["experiment"] != CONFIG.name else CONFIG
    for table in tables_of(config, [view]):
        assert table.rows
    details_of(config, view)
    provenance(view)
    with contextlib.suppress(ResultsError):  # Its clips are of no public set.
        contribution_files(view)
