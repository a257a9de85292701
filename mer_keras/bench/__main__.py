"""Measure, print, and write ``bench.json`` into the results folder."""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from mer_keras import provenance, settings
from mer_keras.bench import networks, preprocessing
from mer_keras.bench.measure import print_measured


def main() -> None:
    """Run all measurements."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            *preprocessing.preprocessing(Path(folder)),
            *preprocessing.magnifying(),
            *preprocessing.motion(),
        ]
    print_measured(rows)
    print(f"\n{networks.header()}")
    steps = networks.networks()
    place = settings.results_root() / "bench.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    found = {
        **provenance.describe(),
        "data_kind": "synthetic",
        "measured": [asdict(row) for row in rows],
        "training_steps": [asdict(step) for step in steps],
    }
    place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\n{place}")


if __name__ == "__main__":
    main()
