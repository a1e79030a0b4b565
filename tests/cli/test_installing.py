import json
import subprocess
import sys
from pathlib import Path

import pytest

GRU = Path(__file__).parents[2] / "plugins" / "vall-e-backbone-gru"
PIP = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]


@pytest.mark.slow
def test_a_plugin_that_pip_installs_is_there(site):
    folder = site.folder
    subprocess.run([*PIP, "--no-index", "--target", str(folder), str(GRU)], check=True)
    found = json.loads(site.vall_e("plugins", "list", "--json", "--kind", "backbone").stdout)
    [gru] = [entry for entry in found["components"] if entry["name"] == "gru"]
    assert (gru["distribution"], gru["version"]) == ("vall-e-backbone-gru", "0.1.0")
    places = site.run("-c", "import vall_e_backbone_gru as gru; print(gru.__file__)").stdout
    assert places.startswith(str(folder))
