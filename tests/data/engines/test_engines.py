"""The data engines of the core keep every law of their kind."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from vall_e.data.engines.components import DATA_ENGINES
from vall_e.errors import DataError, UnavailableError
from vall_e.testing import DataEngineContract

LOCAL, RAY = DATA_ENGINES


class TestProcessPool(DataEngineContract):
    def make(self):
        return LOCAL.build(LOCAL.config(), workers=2)


class TestThisProcess(DataEngineContract):
    survives = False

    def make(self):
        return LOCAL.build(LOCAL.config(), workers=0)


def broken():
    raise DataError("no codec", hint="install it")


@pytest.mark.slow
def test_what_cannot_be_made_in_a_process_is_reported_as_it_is_reported_here():
    with pytest.raises(DataError, match="no codec") as caught:
        list(LOCAL.build(LOCAL.config(), workers=1).run(["1"], broken, repr))
    assert caught.value.hint == "install it"


def test_without_ray_it_says_how_to_get_it():
    if find_spec("ray"):
        pytest.skip("ray is installed")
    with pytest.raises(UnavailableError, match="needs Ray Data") as caught:
        list(RAY.build(RAY.config(), workers=1).run(["1"], repr, repr))
    assert caught.value.hint == "pip install 'vall-e[ray]'"


@pytest.mark.slow
def test_ray_keeps_every_law_and_makes_the_same_dataset(tmp_path):
    """In a process of its own: a cluster leaves threads and open files behind."""
    if not find_spec("ray"):
        pytest.skip("needs vall-e[ray]")
    here = Path(__file__).parent
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)]),  # workers import `make`
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_metrics_collection": "0",  # else its start waits for an agent
    }
    done = subprocess.run(
        [sys.executable, str(here / "on_ray.py"), str(tmp_path)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    laws = [name for name in vars(DataEngineContract) if name.startswith("test_")]
    assert {f"{law}: holds" for law in laws} <= set(done.stdout.splitlines()), done.stdout
    assert "the same, though a worker died" in done.stdout
