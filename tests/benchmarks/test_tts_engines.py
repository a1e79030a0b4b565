import json

import pytest
from click.testing import CliRunner

from vall_e.benchmarks.tts_engines import EngineJob, measure_apart
from vall_e.cli.app import App, cli
from vall_e.errors import UnavailableError
from vall_e.memory import peak_bytes


def bench(*words):
    return CliRunner().invoke(cli, ["bench", "--embedded", *words], obj=App(environ={}))


def test_espeak_is_really_measured():
    row = measure_apart(EngineJob("espeak-ng", repeats=1))
    assert 0 < row.start_seconds < 60
    assert row.first_audio_seconds > 0
    assert 3 < row.audio_seconds < 10
    assert 0 < row.rtf < 1


def test_memory_is_that_of_the_fresh_process_alone():
    held = bytearray(200_000_000)
    row = measure_apart(EngineJob("espeak-ng", repeats=1))
    assert row.peak_bytes < 150e6 < len(held) < peak_bytes()


@pytest.mark.slow
def test_the_voice_is_measured_beside_espeak_and_what_others_publish():
    few = ["--repeats", "1", "--set", "synthesis.max_seconds=0.6", "--set", "synthesis.levels=1"]
    voice, floor = json.loads(bench(*few, "--json").stdout)
    assert (voice["engine"], floor["engine"]) == ("embedded", "espeak-ng")
    assert voice["threads"] == 1
    assert voice["start_seconds"] > floor["start_seconds"]
    assert voice["peak_bytes"] > floor["peak_bytes"]
    assert voice["first_audio_seconds"] > 0
    told = bench(*few).stdout.splitlines()
    assert told[0].split()[:2] == ["engine", "threads"]
    assert "https://pypi.org/project/pocket-tts/" in told[-1]


@pytest.mark.slow
def test_what_cannot_be_measured_says_what_the_process_said():
    with pytest.raises(UnavailableError, match=r"embedded cannot be measured: .*threads"):
        measure_apart(EngineJob("embedded", overrides=["synthesis.threads=-1"]))


@pytest.mark.parametrize("more", [["--model", "x"], ["--device", "cpu"], ["--codecs"]])
def test_the_built_in_voice_is_measured_as_it_is(more):
    result = bench(*more)
    assert result.exit_code == 2
    assert "--embedded can only be used with --set, --repeats and --json" in result.stderr
