"""`vall-e synth --task`, as a user types it."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.tasks.components import TASKS as COMPONENTS
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.text.vocabulary import EOS
from vall_e.weights.file import save

TASKS = [c.name for c in COMPONENTS if c.name != "len"]
"""All but the one that serves the others."""
SHORT = {"max_seconds": 2.5, "seconds_per_symbol": [0.02, 0.02]}
PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\| `(\S+)` \|.*\| `([^`|]+)` \|$", PAGE.split("## ")[0], re.MULTILINE)


@pytest.fixture(scope="module")
def staircase(registry):
    """As it is where a distribution `staircase` is installed."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@pytest.fixture(scope="module")
def weights(staircase, tmp_path_factory):
    codec = components.build_staircase(components.StaircaseConfig())
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    bundle = tiny_bundle(staircase, codec, codec="staircase", tasks=TASKS, synthesis=SHORT)
    bundle.model.heads.text.bias.data[EOS] = -1e9  # it writes something
    save(bundle, path)
    return path


@pytest.fixture
def synth(staircase, weights, tmp_path, monkeypatch):
    """Run the command where `said.wav` is a short recording."""
    monkeypatch.chdir(tmp_path)
    time = np.arange(6400) / 16_000
    Clip((0.4 * np.sin(time * 1500)).astype(np.float32), 16_000).write("said.wav")

    def run(task, *args):
        app = App(environ={"VALL_E_HOME": str(tmp_path / "home")}, registry=staircase)
        arguments = ["synth", "-m", weights, "--device", "cpu", "--task", task, *args]
        return CliRunner().invoke(cli, [str(arg) for arg in arguments], obj=app)

    return run


def test_the_page_has_a_command_for_each_task():
    assert sorted(task for task, _ in COMMANDS) == sorted(TASKS)


@pytest.mark.parametrize(("task", "command"), COMMANDS, ids=[task for task, _ in COMMANDS])
def test_the_commands_of_the_page_work(synth, task, command):
    time = np.arange(32_000) / 16_000
    for name in ("noisy.wav", "both.wav", "me.wav", "said.wav"):
        Clip((0.4 * np.sin(time * 1500)).astype(np.float32), 16_000).write(name)
    args = [arg for arg in shlex.split(command) if arg not in ("--task", task)]
    result = synth(task, *args)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("task", "args"),
    [
        ("stt", ["said.wav"]),
        ("stt", ["--input", "said.wav"]),
        ("phn", ["hello"]),
        ("un-phn", ["hello"]),
    ],
)
def test_a_task_that_writes_text_prints_it(synth, task, args, tmp_path):
    result = synth(task, *args)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip()
    assert [path.name for path in tmp_path.iterdir()] == ["said.wav"]
    told = json.loads(synth(task, *args, "--json").stdout)
    assert result.stdout.rstrip("\n") == (told["spelling"] or told["phonemes"])


def test_a_part_of_a_recording_is_spoken_again(synth):
    args = ["hello", "--input", "said.wav", "--edit", "0.1-0.2", "--seed", 1]
    result = synth("cse", *args, "-o", "new.wav")
    assert result.exit_code == 0, result.output
    assert Clip.read("new.wav").seconds > 0


def test_the_edits_of_a_batch_are_those_of_the_command(synth, tmp_path):
    job = {"text": "hello", "input": "said.wav", "edit": [0.1, 0.2], "seed": 1, "output": "a.wav"}
    (tmp_path / "jobs.jsonl").write_text(json.dumps(job))
    result = synth("cse", "--batch", "jobs.jsonl")
    assert result.exit_code == 0, result.output
    synth("cse", "hello", "--input", "said.wav", "--edit", "0.1-0.2", "--seed", 1)
    assert Clip.read("out/a.wav").seconds == Clip.read("out.wav").seconds


@pytest.mark.parametrize("edit", [[0.2], [0.2, 0.1], ["a", 1], [True, 1]])
def test_an_edit_that_is_invalid_names_its_line(synth, tmp_path, edit):
    job = {"text": "hello", "input": "said.wav", "edit": edit}
    (tmp_path / "jobs.jsonl").write_text(json.dumps(job))
    assert "line 1: edit: " in synth("cse", "--batch", "jobs.jsonl").output


@pytest.mark.parametrize(
    ("task", "args", "says"),
    [
        ("cse", ["hello", "--input", "said.wav"], "with --edit: 1.2 to 1.9"),
        ("cse", ["hello", "--edit", "0.1-0.2"], "name it with --input"),
        ("cse", ["hello", "--input", "said.wav", "--edit", "0.2"], "is not a range of seconds"),
        ("cse", ["hello", "--input", "said.wav", "--edit", "0.1-9"], "the recording lasts 0.40 s"),
        ("ns", ["hello"], "name it with --input"),
        ("tts", ["hello", "--edit", "0.1-0.2"], "does not use the part"),
        ("stt", ["nobody.wav"], "'nobody.wav' does not exist"),
        ("stt", ["said.wav", "-o", "a.wav", "--seed", 1], "does not use --output, --seed"),
        ("phn", ["hello", "--voice", "linda"], "does not use --voice"),
        (
            "ns",
            ["--input", "said.wav", "--set", "synthesis.max_seconds=0.2"],
            "at most 0.2 s are allowed (synthesis.max_seconds)",
        ),
        ("phn", ["hello", "--input", "said.wav"], "does not use an input recording"),
    ],
)
def test_what_is_missing_or_unused_is_reported(synth, task, args, says):
    result = synth(task, *args)
    assert result.exit_code != 0
    assert says in " ".join(result.output.split())
