"""What of other packages is used though it is not theirs to keep: tried on one release each.

Nothing that a package calls private is promised to stay. Each use is listed here with the release
it was tried on; another one must be tried before it is trusted: run the tests named beside it,
then write the new release here.
"""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "mer_keras"

#: (distribution, release tried, file, what is used, tests to run)
USES = [
    ("ray", "2.60", "runs/ray_cluster.py", "ray._private.ray_constants", "test_ray_cluster"),
    ("ray", "2.60", "runs/ray_cluster.py", "ray._raylet", "test_ray_cluster"),
    ("ray", "2.60", "runs/ray_cluster.py", "_node_ip_address", "test_ray_cluster"),
    ("ray", "2.60", "runs/ray_cluster.py", "_temp_dir", "test_ray_cluster"),
]


@pytest.mark.parametrize(("distribution", "tried", "file", "used", "tests"), USES)
def test_the_installed_release_is_the_one_that_was_tried(distribution, tried, file, used, tests):
    assert used in (PACKAGE / file).read_text(), f"{file} no longer uses {used}: take it out here"
    try:
        installed = version(distribution)
    except PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")
    assert ".".join(installed.split(".")[:2]) == tried, (
        f"{file} uses {used}, which {distribution} may change at any time; it was tried on "
        f"{tried}, and {installed} is installed: run tests/runs/{tests}.py with --cluster's extra, "
        "and if all is well write the new release into this list"
    )


def test_no_other_private_name_of_ray_is_used():
    """Names of Ray that begin with an underscore, in its modules or in what ``init`` is given."""
    listed = {used.rpartition(".")[2] for _, _, _, used, _ in USES} | {"_private"}
    for name in ("runs/ray_cluster.py", "runs/ray_worker.py"):
        text = (PACKAGE / name).read_text()
        of_modules = re.findall(r"\bray(?:\.\w+)*\.(_\w+)", text)
        of_options = re.findall(r"\"(_\w+)\"", text)
        assert {*of_modules, *of_options} <= listed, name


def test_pools_and_pickles_are_used_by_their_public_names():
    text = (PACKAGE / "runs/processes.py").read_text()
    imported = re.findall(r"^from (?:pebble|multiprocessing)\S* import (.+)$", text, re.MULTILINE)
    assert imported
    assert not [line for line in imported if re.search(r"\b_", line)]
