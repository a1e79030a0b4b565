"""`vall-e synth` and `vall-e voices`, as a user types them."""

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from attrs import evolve
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.discovery import registry_of
from vall_e.registry import Registry
from vall_e.synthesis.session import Session
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import save

SHORT = {"max_seconds": 0.2, "seconds_per_symbol": [0.0, 0.25], "chunk_seconds": 0.1}


@pytest.fixture(scope="module")
def staircase(registry):
    """As it is where a distribution `staircase` is installed."""
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*registry.offers, *offers])


@pytest.fixture(scope="module")
def weights(staircase, tmp_path_factory):
    codec = components.build_staircase(components.StaircaseConfig())
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save(tiny_bundle(staircase, codec, codec="staircase", synthesis=SHORT), path)
    return path


@pytest.fixture
def vall_e(staircase, tmp_path, monkeypatch):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*args, stdin=None):
        app = App(environ={"VALL_E_HOME": str(tmp_path / "home")}, registry=staircase)
        arguments = [str(arg) for arg in args]
        return CliRunner().invoke(cli, arguments, input=stdin, obj=app, prog_name="vall-e")

    return run


@pytest.fixture
def synth(vall_e, weights):
    def run(*args, stdin=None):
        return vall_e("synth", "-m", weights, "--device", "cpu", *args, stdin=stdin)

    return run


def samples(path):
    return soundfile.read(path, dtype="int16")[0]


def test_a_text_becomes_a_file(synth, tmp_path):
    result = synth("hello", "--seed", 1)
    assert result.exit_code == 0, result.output
    audio, rate = soundfile.read("out.wav")
    assert rate == 8000
    seconds = len(audio) / rate
    assert result.stdout.startswith(f"out.wav: {seconds:.2f} s, seed 1, RTF ")
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]


def test_a_seed_that_was_drawn_is_reported_and_repeats(synth):
    told = synth("hello", "-o", "one.wav").stdout
    seed = told.partition("seed ")[2].partition(",")[0]
    synth("hello", "-o", "two.wav", "--seed", seed)
    assert np.array_equal(samples("one.wav"), samples("two.wav"))


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_the_suffix_says_the_format(synth, suffix):
    assert synth("hello", "--seed", 1, "-o", f"a.{suffix}").exit_code == 0
    assert Clip.read(f"a.{suffix}").seconds > 0


def test_a_pipe_carries_text_in_and_wav_out(synth):
    synth("hello there", "--seed", 1)
    piped = synth("-", "--seed", 1, "-o", "-", stdin="hello there\n")
    assert np.array_equal(samples(BytesIO(piped.stdout_bytes)), samples("out.wav"))
    assert piped.stderr.splitlines()[-1].startswith("stdout: ")
    assert piped.stdout_bytes[:4] == b"RIFF"


def test_a_stream_writes_the_same_samples(synth):
    text = "one two. three four."
    synth(text, "--seed", 1)
    result = synth(text, "--seed", 1, "--stream", "-o", "grown.wav")
    assert result.exit_code == 0, result.output
    assert np.array_equal(samples("grown.wav"), samples("out.wav"))
    piped = synth(text, "--seed", 1, "--stream", "-o", "-").stdout_bytes
    audio = piped[piped.index(b"data") + 8 :]
    assert np.array_equal(np.frombuffer(audio, "<i2"), samples("out.wav"))


def test_json_has_everything(synth):
    told = json.loads(synth("One. Two.", "--seed", 1, "--json").stdout)
    assert told["output"] == "out.wav"
    assert told["seed"] == 1
    assert [sentence["text"] for sentence in told["sentences"]] == ["One.", "Two."]
    assert told["provenance"]["model"]["file"] == "tiny.safetensors"
    assert {"rtf", "timings", "warnings", "seconds"} <= told.keys()


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3"])
def test_a_file_says_that_it_is_synthetic(synth, suffix):
    synth("hello", "--seed", 1, "-o", f"a.{suffix}")
    with soundfile.SoundFile(f"a.{suffix}") as file:
        assert file.comment.startswith("synthetic speech, made by vall-e: {")
        assert file.software.startswith("LAME" if suffix == "mp3" else "vall-e ")


def test_a_stream_says_that_it_is_synthetic(synth):
    synth("hello", "--seed", 1, "--stream", "-o", "grown.wav")
    piped = synth("hello", "--seed", 1, "--stream", "-o", "-").stdout_bytes
    for grown in ("grown.wav", BytesIO(piped)):
        with soundfile.SoundFile(grown) as file:
            assert file.comment.startswith("synthetic speech, made by vall-e: {")
            assert file.software.startswith("vall-e ")


@pytest.mark.parametrize("how", [(), ("--stream",)])
def test_provenance_is_kept_beside_the_file(vall_e, synth, recording, how):
    vall_e("voices", "add", "anna", recording, "--consent", "Anna, for this test")
    result = synth("hello", "--voice", "anna", "--seed", 5, "--provenance", *how)
    assert result.exit_code == 0, result.output
    told = json.loads(Path("out.wav.json").read_text())
    assert told["synthetic"] is True
    assert told["audio"]["sha256"] == sha256(Path("out.wav").read_bytes()).hexdigest()
    assert (told["voice"], told["consent"]) == ("anna", "Anna, for this test")
    assert (told["text"], told["seed"]) == ("hello", 5)
    assert told["model"]["file"] == "tiny.safetensors"
    assert told["options"]["synthesis"]["max_seconds"] == 0.2
    assert told["versions"].keys() == {"vall-e", "torch", "python"}


def test_without_being_asked_nothing_is_kept_beside_the_file(synth, tmp_path):
    synth("hello")
    assert [path.name for path in tmp_path.iterdir()] == ["out.wav"]


def test_options_can_be_set(synth):
    synth("One. Two.", "--seed", 1, "--set", "synthesis.pause_seconds=1.5")
    assert len(samples("out.wav")) > 1.5 * 8000


def test_a_sentence_that_fails_is_warned_of_on_stderr(synth):
    result = synth("hello", "--seed", 1, "--max-seconds", 0.02)
    assert "Warning: sentence 1 of 1 was cut off after 0.02 s" in result.stderr
    assert "Warning" not in result.stdout


def test_nothing_moves_where_there_is_no_terminal(synth):
    assert synth("hello", "--seed", 1).stderr == ""


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ([], 2, "give one of TEXT"),
        (["hi", "--batch", "jobs.jsonl"], 2, "give one of TEXT"),
        (["hi", "-o", "-", "--json"], 2, "--json and -o - both write to stdout"),
        (["hi", "--stream", "-o", "a.mp3"], 2, "--stream writes wav"),
        (["--batch", "jobs.jsonl", "--stream"], 2, "--batch writes files"),
        (["hi", "-o", "a.docx"], 5, "a.docx ends in .docx"),
        (["hi", "-o", "no/such/a.wav"], 5, "there is no folder no/such"),
        (["hi", "--voice", "nobody"], 5, "no voice is called 'nobody'"),
        (["hi", "--voice", "me.wav"], 5, "there is no file me.wav"),
        ([""], 6, "there is no text to say"),
        (["hi", "--language", "klingon"], 6, "this model does not speak 'klingon'"),
        (["hi", "--set", "model.dropout=0.5"], 3, "model.dropout is fixed"),
        (["hi", "--set", "sampling.ar.top-q.p=1"], 3, "top-q"),
        (["hi", "--max-seconds", "-1"], 2, "'-1' is not a number of seconds over 0"),
        (["hi", "--max-seconds", "nan"], 2, "'nan' is not a number of seconds over 0"),
        (["hi", "--max-seconds", "inf"], 2, "'inf' is not a number of seconds over 0"),
        (["hi", "--set", "synthesis.pause_seconds=.inf"], 3, "synthesis.pause_seconds"),
        (["hi", "-o", "-", "--provenance"], 2, "--provenance needs an output file"),
        (["hi", "--mix", "none"], 2, "--mix needs at least two voices"),
        (["hi", "--mix", "jobs.jsonl:x", "--mix", "b"], 2, "x is not a weight: give a number"),
    ],
)
def test_mistakes_are_reported_with_their_exit_code(synth, tmp_path, args, code, says):
    (tmp_path / "jobs.jsonl").write_text("{}")
    result = synth(*args)
    assert result.exit_code == code, result.output
    assert says in result.stderr
    assert not (tmp_path / "out.wav").exists()


def test_a_stream_to_a_full_disk_ends_with_an_error(synth, tmp_path):
    (tmp_path / "full.wav").symlink_to("/dev/full")
    result = synth("hello", "--stream", "-o", "full.wav")
    assert (result.exit_code, result.stdout) == (5, "")
    assert (
        "full.wav cannot be written: No space left on device\nHint: free some space"
        in result.stderr
    )


def test_what_fails_in_the_synthesis_is_not_the_fault_of_the_file(synth, monkeypatch):
    def fail(_):
        raise OSError("no more threads")

    monkeypatch.setattr(Session, "__next__", fail)
    result = synth("hello", "--stream")
    assert "no more threads" in result.stderr
    assert "cannot be written" not in result.stderr


def test_the_name_of_a_text_file_is_not_said(synth, tmp_path):
    (tmp_path / "story.txt").write_text("Once upon a time.")
    result = synth("story.txt")
    assert result.exit_code == 2
    assert "to speak the content of the file: vall-e synth - < story.txt" in result.stderr
    assert synth("other.txt").exit_code == 0


def test_wav_does_not_go_to_a_terminal():
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "vall_e", "synth", "hello", "-o", "-"]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=False)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert "-o - writes wav to stdout, which is a terminal" in done.stderr


def test_a_warning_quotes_the_start_of_a_long_sentence(synth):
    told, hint = synth("hello" * 40, "--seed", 1, "--max-seconds", 0.02).stderr.splitlines()
    assert "did not end it: 'hellohello" in told
    assert len(told) < 200
    assert hint.startswith("Hint: try another --seed")


@pytest.mark.parametrize("options", [(), ("--set", "sampling.beams=2")])
def test_where_nothing_is_drawn_no_other_seed_is_advised(synth, options):
    result = synth("hello", "--max-seconds", 0.02, "--set", "sampling.ar=[greedy]", *options)
    assert "did not end it" in result.stderr
    assert "Hint" not in result.stderr


def test_stdin_without_words_is_a_mistake(synth):
    assert synth("-", stdin=" \n").exit_code == 6


def test_jobs_are_spoken_in_their_order(synth, tmp_path):
    jobs = [
        {"text": "one", "output": "first.wav", "seed": 1},
        {"text": "two", "seed": 2},
        {"text": "three", "output": "deep/third.flac", "max_seconds": 0.1},
    ]
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)) + "\n\n")
    result = synth("--batch", "jobs.jsonl", "-o", "spoken", "--seed", 5)
    assert result.exit_code == 0, result.output
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        "spoken/first.wav",
        "spoken/0002.wav",
        "spoken/deep/third.flac",
    ]
    assert "seed 5" in result.stdout.splitlines()[2]
    synth("one", "--seed", 1)
    assert np.array_equal(samples("spoken/first.wav"), samples("out.wav"))


def test_a_job_that_fails_is_reported_and_the_others_are_made(synth, tmp_path):
    (tmp_path / "jobs.jsonl").write_text('{"text": "", "seed": 1}\n{"text": "two"}\n')
    result = synth("--batch", "jobs.jsonl", "--json")
    assert result.exit_code == 6
    assert "line 1: there is no text to say" in result.stderr
    failed, made = map(json.loads, result.stdout.splitlines())
    assert failed["error"] == "there is no text to say"
    assert made["output"] == "out/0002.wav"
    assert (tmp_path / "out" / "0002.wav").is_file()


@pytest.mark.parametrize("suffix", ["wave", "txt", ""])
def test_a_bad_suffix_is_the_failure_of_its_job_alone(synth, tmp_path, suffix):
    jobs = [{"text": "one", "output": f"a.{suffix}"}, {"text": "two", "output": "b.wav"}]
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)))
    result = synth("--batch", "jobs.jsonl")
    assert result.exit_code == 5
    assert "line 1: " in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.wav"]


def test_a_value_out_of_range_is_the_failure_of_its_job_alone(synth, tmp_path):
    (tmp_path / "jobs.jsonl").write_text('{"text": "one", "speed": 99}\n{"text": "two"}\n')
    result = synth("--batch", "jobs.jsonl")
    assert result.exit_code != 0
    assert "line 1: " in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["0002.wav"]


@pytest.mark.parametrize("weight", ["nan", "inf", "much"])
def test_a_weight_of_a_mixture_is_a_finite_number(synth, recording, weight):
    result = synth("hello", "--mix", f"{recording}:{weight}", "--mix", recording)
    assert result.exit_code == 2
    assert "weight" in result.stderr


def test_a_file_that_cannot_be_written_is_the_failure_of_its_job_alone(synth, tmp_path):
    (tmp_path / "out" / "a.wav").mkdir(parents=True)
    jobs = [{"text": "one", "output": "a.wav"}, {"text": "two", "output": "b.wav"}]
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)))
    result = synth("--batch", "jobs.jsonl")
    assert result.exit_code == 5
    assert "a.wav cannot be written" in result.stderr
    assert (tmp_path / "out" / "b.wav").is_file()


def test_a_line_separator_and_a_byte_order_mark_are_part_of_the_file(synth, tmp_path):
    text = "one\u2028two\x85three"
    line = json.dumps({"text": text}, ensure_ascii=False)
    (tmp_path / "jobs.jsonl").write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n")
    result = synth("--batch", "jobs.jsonl", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["provenance"]["text"] == text


@pytest.mark.parametrize("outside", ["../x.wav", "deep/../../x.wav", "{tmp}/x.wav", "link/x.wav"])
def test_outputs_stay_in_their_folder_unless_it_is_allowed(synth, tmp_path, outside):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path)
    outside = outside.format(tmp=tmp_path.as_posix())
    (tmp_path / "jobs.jsonl").write_text(json.dumps({"text": "hi", "output": outside}))
    result = synth("--batch", "jobs.jsonl")
    assert result.exit_code == 8
    assert f"line 1: the output {outside} is outside out; --allow-anywhere" in result.stderr
    assert not (tmp_path / "x.wav").exists()
    assert synth("--batch", "jobs.jsonl", "--allow-anywhere").exit_code == 0
    assert (tmp_path / "x.wav").is_file()


@pytest.mark.parametrize(
    ("first", "second"),
    [("a.wav", "./a.wav"), ("a.wav", "b/../a.wav"), ("b//a.wav", "b/a.wav"), (None, "0001.wav")],
)
def test_two_jobs_cannot_write_one_file(synth, tmp_path, first, second):
    jobs = [{"text": "one"} | ({"output": first} if first else {}), {"text": "2", "output": second}]
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, jobs)))
    result = synth("--batch", "jobs.jsonl", "--allow-anywhere")
    assert result.exit_code == 8
    assert "lines 1, 2: " in result.stderr
    assert "is the output of several lines" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"text": "a", "seed": -1}', "line 1: seed: -1 is not a valid"),
        ('{"text": "a", "seed": 1.5}', "line 1: seed: 1.5 is not a valid"),
        ('{"text": "a", "max_seconds": NaN}', "line 1: max_seconds: NaN is not a valid"),
        ('{"text": "a", "max_seconds": 1e400}', "line 1: max_seconds: Infinity is not a valid"),
        ('{"text": "a", "max_seconds": 0}', "line 1: max_seconds: 0 is not a valid"),
        ('{"input": "a", "edit": [0, Infinity]}', "line 1: edit: [0, Infinity] is not a valid"),
        ('{"text": "a", "output": "a\\u0000.wav"}', "line 1: output: "),
        ("[]", "line 1: expected a mapping"),
        ('{"txt": "a"}', "line 1: unknown key 'txt'; available: text, output"),
        ('{"text": 3}', "line 1: text: 3 is not a valid"),
        ('{"text": "a", "seed": true}', "line 1: seed: true is not a valid"),
        ('{"seed": 3}', "line 1: missing: text"),
        ("{", "line 1: "),
        ("", "the file contains no jobs"),
        ('{"text": "a", "output": "x.wav"}\n' * 2, "x.wav is the output of several lines"),
    ],
)
def test_a_bad_job_stops_the_batch_before_it_starts(synth, tmp_path, line, says):
    (tmp_path / "jobs.jsonl").write_text(line)
    result = synth("--batch", "jobs.jsonl")
    assert result.exit_code == 8
    assert says in result.stderr


@pytest.fixture
def recording(tmp_path):
    time = np.arange(16_000) / 16_000
    path = tmp_path / "me.wav"
    Clip((0.4 * np.sin(time * 1500)).astype(np.float32), 16_000).write(path)
    return path


def test_a_voice_is_added_used_shown_and_removed(vall_e, synth, recording):
    added = vall_e("voices", "add", "carla", recording, "--text", "hi", "--consent", "herself")
    assert added.exit_code == 0, added.output
    listed = json.loads(vall_e("voices", "list", "--json").stdout)
    assert listed[-1]["name"] == "carla"
    assert "carla" in vall_e("voices", "list").stdout
    assert json.loads(vall_e("voices", "show", "carla", "--json").stdout)["consent"] == "herself"
    assert "text     hi" in vall_e("voices", "show", "carla").stdout
    told = json.loads(synth("hello", "--voice", "carla", "--json").stdout)
    assert told["provenance"]["voice"] == "carla"
    assert vall_e("voices", "remove", "carla").stdout == "removed carla\n"
    assert synth("hello", "--voice", "carla").exit_code == 5


def test_a_recording_is_a_voice(synth, recording):
    told = json.loads(synth("hello", "--voice", recording, "--json").stdout)
    assert told["provenance"]["voice"] == "me"


def test_none_is_not_a_voice(synth):
    told = json.loads(synth("hello", "--voice", "none", "--json").stdout)
    assert told["provenance"]["voice"] is None


@pytest.fixture
def speaking(site, weights):
    """A process that speaks a text of many sentences, as in a terminal."""
    site.install("staircase", "from vall_e.testing.fakes.components import *")
    processes = []

    def start(*args):
        command = [sys.executable, "-P", "-m", "vall_e", "synth", "one.\n\ntwo.\n\n" * 500]
        process = subprocess.Popen(
            [*command, "-m", str(weights), "--device", "cpu", "--stream", *map(str, args)],
            env={**os.environ, "PYTHONPATH": str(site.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # A job in the background of a script ignores Ctrl-C, and hands that on.
            preexec_fn=_as_in_a_terminal,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def _as_in_a_terminal():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_made(speaking, tmp_path):
    path = tmp_path / "grown.wav"
    process = speaking("-o", path)
    deadline = time.monotonic() + 300
    while not (path.exists() and path.stat().st_size > 5000):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 130
    assert b", stopped early" in stdout
    assert b"Aborted!" in stderr
    kept = samples(path)
    assert f"{len(kept) / 8000:.2f} s".encode() in stdout


@pytest.mark.slow
def test_a_reader_that_leaves_ends_the_work_quietly(speaking):
    process = speaking("-o", "-")
    assert process.stdout.read(44)[:4] == b"RIFF"
    process.stdout.close()
    assert process.wait(timeout=300) == 141
    assert process.stderr.read() == b""
    process.stdout = None


@pytest.mark.slow
def test_bench_says_what_and_where_it_measured(vall_e, weights):
    options = ("-m", weights, "--device", "cpu", "--repeats", 1)
    told = json.loads(vall_e("bench", *options, "--json").stdout)
    assert told["machine"]["dtype"] == "fp32"
    assert told["ar_steps_limit"] == told["bytes_per_second"] / told["weight_bytes"]
    figures = ("rtf", "first_audio_seconds", "ar_steps_per_second", "training_tokens_per_second")
    assert all(told[name] > 0 for name in figures)
    text = vall_e("bench", *options).stdout
    assert "memory bandwidth allows" in text
    assert "tokens/s" in text
