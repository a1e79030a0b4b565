"""The README's commands and programs, run word for word in an empty folder."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What a reader has, and how long he waits, is not in the commands: it comes by the environment.
SMALL = {
    "VALL_E__TRAINING__MAX_STEPS": "2",
    "VALL_E__SYNTHESIS__MAX_SECONDS": "1",
    "VALL_E__MODEL__BACKBONE": "{name: llama, d_model: 32, layers: 1, heads: 2}",
}


def _blocks(language: str, section: str) -> list[str]:
    """Fenced code of a language under a heading."""
    text = README.split(f"## {section}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def _run(script: str, folder: Path, **environ: str) -> str:
    bin_folder = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": bin_folder + os.pathsep + os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _commands(section: str) -> list[str]:
    lines = "\n".join(_blocks("sh", section)).splitlines()
    return [line for line in lines if not line.startswith(("make ", ". "))]


@pytest.mark.slow
def test_speak(typed, tmp_path):
    """What a shell has to understand runs in one, and so does the script `vall-e`."""
    shutil.copy(ROOT / "vall_e" / "embedded" / "linda.flac", tmp_path / "me.wav")
    commands = _commands("Speak")
    piped = [line for line in commands if "|" in line]
    assert len(piped) == 1
    short = {"VALL_E__SYNTHESIS__MAX_SECONDS": "1"}
    _run(piped[0], tmp_path, **short)
    listing = typed("\n".join(line for line in commands if line not in piped), **short)
    assert "kathleen" in listing
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"me.wav", "hello.opus", "linda.wav", "mine.wav", "pipe.wav"}
    assert all(path.stat().st_size > 1_000 for path in tmp_path.iterdir())


def test_in_python(tmp_path, monkeypatch, capsys):
    (program,) = _blocks("python", "In Python")
    monkeypatch.chdir(tmp_path)
    exec(program, {})  # noqa: S102 - the page is ours
    assert "seed 3" in capsys.readouterr().out
    assert (tmp_path / "hello.wav").exists()


def test_train_your_own(typed, tmp_path):
    recordings = tmp_path / "my-recordings"
    shutil.copytree(Path(__file__).parent / "speech", recordings)
    shutil.copy(recordings / "a0031.flac", recordings / "first.wav")
    typed("\n".join(_commands("Train your own")), **SMALL)
    assert (tmp_path / "out.wav").exists()
    assert (tmp_path / "mine.safetensors").exists()


def test_the_plugin_in_a_page_is_a_component():
    (program,) = _blocks("python", "Write a plugin")
    found = {"__name__": "components"}
    exec(program, found)  # noqa: S102 - the page is ours
    assert found["vall_e_register_samplers"]()[0].name == "lucky"


def test_the_files_it_names_exist():
    links = re.findall(r"\]\(([^)#]+?)\)", README)
    named = re.findall(r"`(vall_e[a-z_]*/[\w/]+\.py)`", README)
    missing = [
        path for path in [*links, *named] if "://" not in path and not (ROOT / path).exists()
    ]
    assert missing == []
