import subprocess
import sys
from pathlib import Path

import pytest

import vall_e_judges
from vall_e.errors import UnavailableError
from vall_e_judges.optional_packages import require

PACKAGES = ("pocketsphinx", "_webrtcvad", "pesq", "pystoi", "speechmos", "onnxruntime", "librosa")
MODULES = sorted(path.stem for path in Path(vall_e_judges.__file__).parent.glob("[a-z]*.py"))
JUDGES = {"recognition": "pocketsphinx", "similarity": "_webrtcvad", "pesq": "pesq",
          "stoi": "pystoi", "dnsmos": "speechmos"}  # fmt: skip
WEIGHTS = {"whisper": "folder", "campp": "file"}
WITHOUT = f"""
import importlib, sys
for name in {PACKAGES}:
    sys.modules[name] = None  # as if it were not installed
for name in {MODULES}:
    importlib.import_module("vall_e_judges." + name)
from vall_e.errors import UnavailableError
from vall_e.interfaces.judge import Case
from vall_e_judges.components import vall_e_register_judges
for judge in vall_e_register_judges():
    try:
        judge.build(judge.config(), case=Case())
    except UnavailableError as exc:
        sys.stdout.write(f"{{judge.name}}: {{exc.message}}\\n")
"""


@pytest.mark.slow
def test_without_their_packages_judges_are_imported_and_say_what_they_lack():
    command = [sys.executable, "-c", WITHOUT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert told.keys() == JUDGES.keys() | WEIGHTS.keys()
    for judge, package in JUDGES.items():
        assert f"the judge {judge} needs the package {package}" in told[judge]
    for judge, what in WEIGHTS.items():
        assert told[judge] == f"the judge {judge} needs a {what} of weights"


def test_a_missing_package_is_named_with_the_line_that_installs_it():
    with pytest.raises(UnavailableError, match="judge x needs the package no_such_one") as caught:
        require("x", "json", "no_such_one")
    assert caught.value.hint == 'pip install "vall-e[eval]"'


def test_what_is_installed_is_enough():
    require("x", "json")
