"""`vall-e eval`, as a user types it."""

import json
import re
import shlex
import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from vall_e.audio.clip import Clip
from vall_e.model.lora import Terms, attach, places
from vall_e.weights.file import load
from vall_e.weights.lora_file import save_lora

SPEECH = Path(__file__).parents[1] / "speech"
PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
COMMANDS = re.findall(r"^vall-e (eval .*?)\s+#", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def report(folder="out"):
    return json.loads(Path(folder, "report.json").read_text())


def figures(folder="out"):
    """All of a report but what differs from run to run."""
    return json.dumps({key: value for key, value in report(folder).items() if key != "run"})


def test_a_list_is_judged_by_all_that_can(vall_e, listed):
    result = vall_e("eval", listed, "-o", "out")
    assert result.exit_code == 0, result.output
    told = report()
    assert told["pooled"]["peak"]["value"] == pytest.approx(0.35, abs=1e-3)
    assert told["groups"]["ann"]["peak"]["value"] == pytest.approx(0.4, abs=1e-3)
    assert told["pooled"]["seconds_per_word"]["value"] == 0.25
    missing = "the judge missing needs the package ears. pip install ears"
    assert told["unavailable"]["missing"] == missing
    assert told["remarks"] == ["its ears are small"]
    assert "peak" in result.stdout
    assert "Not judged by missing: the judge missing needs" in result.stderr


def test_a_judge_that_fails_is_a_line_of_the_report(vall_e, listed):
    """Every other clip, or when it is built: the other judges' figures stand."""
    result = vall_e("eval", listed, "-o", "out")
    assert result.exit_code == 0, result.output
    told = report()
    why = "failed on 3 of 6 clips: RuntimeError: cannot set number of interop threads"
    assert told["failures"] == {"breaking": why}
    assert told["pooled"]["luck"]["clips"] == 3
    assert told["pooled"]["peak"]["clips"] == 6
    assert "the download was cut off" in told["unavailable"]["broken"]
    assert f"The judge breaking {why}" in result.stderr
    assert why in Path("out", "report.html").read_text()


def test_a_page_is_titled_by_what_was_evaluated(vall_e, listed):
    vall_e("eval", listed, "-o", "out", "--judge", "signal")
    assert "<h1>Evaluation of list.tsv</h1>" in Path("out", "report.html").read_text()


def test_the_report_says_what_the_figures_depend_on(vall_e, listed):
    vall_e("eval", listed, "-o", "out", "--seed", 3)
    told = report()
    assert told["inputs"]["list"]["file"] == "list.tsv"
    assert len(told["inputs"]["list"]["sha256"]) == 64
    assert told["weights"] == {"ears": "0" * 64}
    assert {"vall-e", "python", "torch", "numpy"} <= told["versions"].keys()
    assert "no-such-distribution" not in told["versions"]
    assert told["seed"] == 3
    assert told["run"]["options"]["seed"] == "3"
    assert {"time", "machine", "command"} <= told["run"].keys()


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_the_same_command_gives_the_same_figures(vall_e, listed, workers):
    judges = ["--judge", "signal"]
    vall_e("eval", listed, "-o", "out", *judges)
    assert vall_e("eval", listed, "-o", "more", *judges, "--workers", workers).exit_code == 0
    assert figures("more") == figures("out").replace("../out", "../more")


def test_the_page_plays_the_clips_worst_first_without_scripts(vall_e, listed, tmp_path):
    (tmp_path / "pages").mkdir()
    vall_e("eval", listed, "--html", "pages/a.html")
    page = (tmp_path / "pages" / "a.html").read_text()
    clips = [unquote(name) for name in re.findall(r'src="(.*?)"', page)]
    assert all((tmp_path / "pages" / name).is_file() for name in clips)
    assert next(name for name in clips if "ann" not in name) == "../0.wav"
    assert "<script" not in page
    assert "http" not in page
    assert "&lt;text 0&gt;" in page


def test_a_figure_that_no_clip_has_says_its_reason(vall_e, listed):
    listed.write_text("path\n0.wav\n")
    assert vall_e("eval", listed, "-o", "out").exit_code == 0
    assert report()["pooled"]["peak"] == {
        "value": None, "interval": None, "clips": 0, "left_out": 1,
        "reason": "nothing should be said",
    }  # fmt: skip
    assert "nothing should be said" in Path("out/report.html").read_text()


@pytest.fixture
def speak(vall_e, weights, tmp_path):
    (tmp_path / "texts.txt").write_text("one two\nthree\n\nfour five\n")
    Clip(np.sin(np.arange(8000) / 8).astype(np.float32) / 2, 8000).write(tmp_path / "me.wav")

    def run(*args):
        model = ["-m", weights, "--texts", "texts.txt", "--device", "cpu", "-o", "out"]
        return vall_e("eval", *model, "--judge", "signal", "--judge", "loud", *args)

    return run


def test_a_model_says_every_text_in_every_voice(speak):
    result = speak("--voice", "me.wav", "--voice", "kathleen", "-n", 2, "--repeats", 2)
    assert result.exit_code == 0, result.output
    told = report()
    assert [(clip["speaker"], clip["text"]) for clip in told["clips"]] == [
        (voice, text) for voice in ("me", "kathleen") for _ in range(2)
        for text in ("one two", "three")
    ]  # fmt: skip
    assert len(list(Path("out/clips").iterdir())) == 8
    assert {"me", "kathleen"} == told["groups"].keys()
    assert told["inputs"]["model"]["file"] == "tiny.safetensors"
    assert {"texts", "voice me", "voice kathleen"} <= told["inputs"].keys()


def test_what_was_spoken_is_not_spoken_again(speak):
    speak("--voice", "me.wav", "-n", 2)
    before = {path: path.stat().st_mtime_ns for path in Path("out/clips").iterdir()}
    first = figures()
    lost = sorted(before)[0]
    lost.unlink()  # as if it had been stopped before
    speak("--voice", "me.wav", "-n", 2)
    after = {path: path.stat().st_mtime_ns for path in Path("out/clips").iterdir()}
    assert after.keys() == before.keys()
    assert [path for path in after if after[path] != before[path]] == [lost]
    assert figures() == first


def test_more_texts_and_repeats_keep_the_clips_that_are_there(speak):
    speak("--voice", "me.wav", "-n", 1)
    [first] = Path("out/clips").iterdir()
    before = first.stat().st_mtime_ns
    speak("--voice", "me.wav", "-n", 2, "--repeats", 2)
    assert len(list(Path("out/clips").iterdir())) == 4
    assert first.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "change", [["--seed", 1], ["--set", "synthesis.pause_seconds=0.5"], ["--voice", "linda"]]
)
def test_other_settings_are_other_clips(speak, change):
    voice = [] if "--voice" in change else ["--voice", "me.wav"]
    speak("--voice", "me.wav", "-n", 1)
    speak(*voice, "-n", 1, *change)
    assert len(list(Path("out/clips").iterdir())) == 2


def test_a_lora_is_judged_by_clips_of_its_own(speak, weights, judges, tmp_path):
    model = load(weights, judges).model
    attach(model, places(model), Terms(2, 4.0))
    save_lora(model, tmp_path / "me.lora.safetensors", {})
    assert speak("--voice", "me.wav", "-n", 1).exit_code == 0
    result = speak("--voice", "me.wav", "-n", 1, "--lora", "me.lora.safetensors:0.5")
    assert result.exit_code == 0, result.output
    assert len(list(Path("out/clips").iterdir())) == 2
    assert report()["inputs"]["model"]["loras"].startswith("me:0.5 (")
    assert "tiny.safetensors, me:0.5" in Path("out/report.html").read_text()


def test_a_codec_is_judged_at_each_number_of_levels(vall_e):
    shutil.copytree(SPEECH, "speech")
    staircase = ["--set", "codec={name: staircase, sample_rate: 16000}"]
    result = vall_e(
        "eval", "--data", "speech", *staircase, "--levels", 1, "--levels", 3, "-o", "out", "-n", 1
    )
    assert result.exit_code == 0, result.output
    told = report()
    assert (list(told["groups"]), told["pooled"]) == (["1 level", "3 levels"], {})
    assert told["clips"][0]["original"] == "../speech/a0031.flac"
    assert told["inputs"]["codec"]["identity"].startswith("staircase")
    one, three = (Clip.read(Path("out", clip["path"])) for clip in told["clips"])
    assert not np.array_equal(one.samples, three.samples)


def test_judges_have_options(vall_e, listed):
    assert vall_e("eval", listed, "--judge", "{name: loud, reason: none}").exit_code == 0
    wrong = vall_e("eval", listed, "--judge", "{name: loud, volume: 3}")
    assert wrong.exit_code == 3
    assert "--judge" in wrong.stderr
    assert "volume" in wrong.stderr


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ([], 2, "give one of LIST, --data and --texts"),
        (["list.tsv", "--texts", "list.tsv"], 2, "give one of"),
        (["--texts", "list.tsv"], 2, "give the folder of the clips with -o"),
        (["list.tsv", "--voice", "ann"], 2, "--voice needs --texts"),
        (["list.tsv", "--levels", "2"], 2, "--levels needs --data"),
        (["list.tsv", "--set", "a=1"], 2, "--set needs --texts or --data"),
        (["list.tsv", "--judge", "lout"], 3, "did you mean 'loud'"),
        (["list.tsv", "--judge", "missing"], 4, "needs the package ears"),
        (["list.tsv", "--json", "no/such.json"], 8, "no/such.json cannot be written"),
        (["bad.tsv"], 8, "no column `path`"),
        (["misspelt.tsv"], 8, "unknown column 'txet', did you mean 'text'"),
        (["gone.tsv"], 8, "2 files that do not exist: a.wav, b.wav"),
        (["noise.tsv"], 5, "not readable audio"),
        (["--data", ".", "-o", "o", "--levels", "99"], 3, "--levels 99: the codec has 8"),
        (["--texts", "empty.txt", "-o", "o"], 8, "contains no text"),
    ],
)
def test_mistakes_are_reported_with_their_exit_code(vall_e, listed, tmp_path, args, code, says):
    (tmp_path / "bad.tsv").write_text("file\ttext\n0.wav\thi\n")
    (tmp_path / "gone.tsv").write_text("path\na.wav\nb.wav\n0.wav\n")
    (tmp_path / "misspelt.tsv").write_text("path\ttxet\n0.wav\thi\n")
    (tmp_path / "noise.tsv").write_text("path\nlist.tsv\n")
    (tmp_path / "empty.txt").write_text("\n\n")
    result = vall_e("eval", *args)
    assert result.exit_code == code, result.output
    assert says in result.stderr


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_report_without_a_folder_is_reported_before_the_work(speak, option):
    result = speak("--voice", "me.wav", "-n", 1, option, "no/such.file")
    assert result.exit_code == 8
    assert "make the folder no first" in result.stderr
    assert not Path("out/clips").exists()


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_clip_that_cannot_be_read_costs_no_other_its_verdict(vall_e, listed, workers):
    Path("5.wav").write_text("no sound")
    result = vall_e("eval", listed, "--judge", "signal", "-o", "out", "--workers", workers)
    assert result.exit_code == 0, result.output
    told = report()
    assert told["pooled"]["seconds"]["value"] == 0.5
    assert (told["pooled"]["seconds"]["clips"], told["pooled"]["seconds"]["left_out"]) == (5, 1)
    assert set(told["clips"][5]["scores"].values()) == {None}
    assert "not readable audio" in told["clips"][5]["reasons"]["seconds"]
    assert "Left out, because they cannot be read: 1; the first: " in result.stderr
    assert "5 clips, 1 left out: " in Path("out/report.html").read_text()


def test_a_voice_that_cannot_be_read_costs_only_its_own_clips_their_verdict(vall_e, listed):
    Path("odd.wav").write_text("no sound")
    rows = listed.read_text().splitlines()
    listed.write_text("\n".join([*rows[:-1], rows[-1].replace("ann.wav", "odd.wav")]))
    assert vall_e("eval", listed, "-o", "out").exit_code == 0
    assert report()["pooled"]["seconds"]["clips"] == 5
    assert "odd.wav" in report()["clips"][5]["reasons"]["seconds"]


def test_a_recording_that_cannot_be_read_is_left_out_and_reported(vall_e):
    shutil.copytree(SPEECH, "speech")
    Path("speech", "bad.wav").write_text("no sound")
    with Path("speech", "transcripts.tsv").open("a", encoding="utf-8") as table:
        table.write("\nbad.wav\tnobody knows\n")
    staircase = ["--set", "codec={name: staircase, sample_rate: 16000}"]
    result = vall_e("eval", "--data", "speech", *staircase, "--judge", "signal", "-o", "out")
    assert result.exit_code == 0, result.output
    *good, bad = report()["clips"]
    assert good
    assert {clip["scores"]["seconds"] is None for clip in good} == {False}
    assert bad["path"] == "../speech/bad.wav"
    assert "not readable audio" in bad["reasons"]["seconds"]
    assert report()["pooled"]["seconds"]["left_out"] == 1


def test_a_speaker_called_all_is_not_taken_for_all_of_them(vall_e, listed):
    listed.write_text(listed.read_text().replace("\tann\t", "\tall\t"))
    assert vall_e("eval", listed, "-o", "out").exit_code == 0
    told = report()
    assert told["pooled"]["peak"]["value"] == pytest.approx(0.35, abs=1e-3)
    assert told["groups"]["all"]["peak"]["value"] == pytest.approx(0.4, abs=1e-3)
    assert told["groups"]["bob"]["peak"]["value"] == pytest.approx(0.3, abs=1e-3)


def test_one_judge_judges_twice_if_its_options_give_other_figures(vall_e, listed):
    twice = ["--judge", "{name: loud, figure: first}", "--judge", "{name: loud, figure: second}"]
    assert vall_e("eval", listed, "-o", "out", *twice).exit_code == 0
    assert set(report()["figures"]) == {"first", "second"}


def test_a_figure_that_two_judges_give_is_refused(vall_e, listed):
    result = vall_e("eval", listed, "--judge", "loud", "--judge", "{name: loud, reason: none}")
    assert result.exit_code == 4
    assert "both give the figure 'peak'" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_work(vall_e, listed, command):
    listed.rename("clips.tsv")
    Path("harvard.txt").write_text("Hello.\n")
    shutil.copytree(SPEECH, "recordings")
    shutil.copy(SPEECH / "a0031.flac", "me.wav")
    quick = ["--set", "synthesis.levels=1"] if "--texts" in command else []
    result = vall_e(*shlex.split(command), *quick)
    assert result.exit_code == 0, result.output
    folder = Path(re.findall(r"-o (\w+)", command)[0] if "-o" in command else ".")
    assert report(folder)["clips"]
    assert (folder / "report.html").is_file()


def test_the_page_mentions_all_three_kinds():
    assert [command.split()[1] for command in COMMANDS] == ["--texts", "--data", "clips.tsv"]
