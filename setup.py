"""What ``setup.cfg`` can't say: a wheel has the clone's ``experiments`` within the package.

An editable installation reads the clone's own files (see ``mer_keras.settings``).
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithExperiments(build_py):
    """Copy ``experiments`` beside the modules of ``mer_keras``."""

    def run(self) -> None:
        """Build the modules, then add the experiments, without those of an earlier build."""
        super().run()
        if not self.editable_mode:
            shipped = Path(self.build_lib) / "mer_keras/experiments"
            shutil.rmtree(shipped, ignore_errors=True)
            files = [*ROOT.glob("experiments/**/*.yaml"), *ROOT.glob("experiments/**/*.csv")]
            for file in sorted(files):
                copy = shipped / file.relative_to(ROOT / "experiments")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


setup(cmdclass={"build_py": BuildWithExperiments})
