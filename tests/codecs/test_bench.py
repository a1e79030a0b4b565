"""`vall-e bench --codecs`."""

import hashlib
import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.benchmarks.codec_recordings import gather
from vall_e.benchmarks.codecs import contestants, measure, opus_bytes
from vall_e.cli.app import App, cli
from vall_e.interfaces.judge import Figure, Score, Verdict
from vall_e.testing import StaircaseCodec

SPEECH = Path(__file__).parents[1] / "speech" / "a0031.flac"


class Level:
    """Scores how loud a clip is beside its original."""

    def __init__(self):
        self.figures = {"level": Figure("share of the original")}

    def __call__(self, evidence):
        loud, original = (np.abs(c.samples).sum() for c in (evidence.clip, evidence.original))
        return Verdict({"level": Score(float(loud), float(original))})


class Far:
    """Scores how far a clip is from its original, sample by sample."""

    def __init__(self):
        self.figures = {"far": Figure("mean difference")}

    def __call__(self, evidence):
        both = [c.resample(8000).samples for c in (evidence.clip, evidence.original)]
        end = min(map(len, both))
        return Verdict({"far": Score(float(np.abs(both[0][:end] - both[1][:end]).mean()))})


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def clip():
    return Clip.read(SPEECH)


def test_the_rate_is_that_of_the_codes(clip):
    ours, *_ = contestants(StaircaseCodec())
    row = measure(ours, [clip.cut(0, 1)], [Level()], repeats=2)
    assert row.bits_per_second == 50 * 4 * 4
    assert 0 < row.encode_rtf < 1
    assert 0 < row.decode_rtf < 1
    assert 0 < row.scores["level"] < 1


def test_opus_is_counted_without_its_container(clip):
    out = BytesIO()
    soundfile.write(out, np.zeros(48_000, "f4"), 48_000, "OPUS", format="OGG")
    assert 0 < opus_bytes(out.getvalue()) < 0.5 * len(out.getvalue())
    _, opus, *_ = contestants(StaircaseCodec())
    row = measure(opus, [clip], [], repeats=1)
    assert 4000 < row.bits_per_second < 16_000  # a variable rate that aims at 6000


@pytest.mark.skipif(not shutil.which("opusenc"), reason="opus-tools are not here")
def test_a_constant_rate_is_constant(clip):
    six, eight = (one for one in contestants(StaircaseCodec()) if "opusenc" in one.name)
    rates = [measure(one, [clip], [], repeats=1).bits_per_second for one in (six, eight)]
    assert rates == pytest.approx([6000, 8000], rel=0.1)


def test_fewer_levels_take_fewer_bits_and_sound_worse(clip):
    one, four = contestants(StaircaseCodec(), (1, 4))[:2]
    coarse, fine = (measure(each, [clip.cut(0, 1)], [Far()], repeats=1) for each in (one, four))
    assert (coarse.bits_per_second, fine.bits_per_second) == (50 * 4, 50 * 4 * 4)
    assert coarse.scores["far"] > fine.scores["far"]
    assert coarse.name.endswith(", 1 level")


@pytest.mark.skipif(not shutil.which("c2enc"), reason="codec2 is not here")
def test_codec2_keeps_the_length_and_its_rate(clip):
    *_, codec2 = contestants(StaircaseCodec())
    assert measure(codec2, [clip], [], repeats=1).bits_per_second == pytest.approx(3200, rel=0.02)
    heard = codec2.run(clip).clip
    assert heard.seconds == pytest.approx(clip.seconds, abs=0.03)
    assert 0.2 < np.abs(heard.samples).max() <= 1


def test_the_delay_of_codec2_is_taken_back(tmp_path, monkeypatch):
    late = "head -c 320 /dev/zero > $3; head -c -320 $2 >> $3"
    for program, does in (("c2enc", "cp $2 $3"), ("c2dec", late)):
        (tmp_path / program).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    told = Clip(np.sin(np.arange(8000) / 9).astype(np.float32) / 2, 8000)
    *_, codec2 = contestants(StaircaseCodec())
    heard = codec2.run(told).clip.samples
    np.testing.assert_allclose(heard[:-160], told.samples[:-160], atol=1e-4)
    assert not heard[-160:].any()


def test_recordings_are_taken_from_files_folders_and_tables(clip, tmp_path):
    for name in ("b", "a", "c"):
        clip.cut(0, 0.1 + 0.1 * (name == "b")).write(tmp_path / f"{name}.wav")
    (tmp_path / "some.tsv").write_text("path\ttext\nc.wav\tone\nb.wav\ttwo\n")
    folder, table = gather([tmp_path]), gather([tmp_path / "some.tsv"])
    assert [name for name, _ in folder.files] == ["a.wav", "b.wav", "c.wav"]
    assert [name for name, _ in table.files] == ["c.wav", "b.wav"]
    assert gather([tmp_path / "c.wav", tmp_path / "b.wav"]).facts == table.facts
    assert gather([tmp_path], 2).facts["seconds"] == pytest.approx(0.3, abs=1e-3)
    hashes = [each["sha256"] for each in folder.facts["files"]]
    assert hashes[0] == sha256(tmp_path / "a.wav")
    assert folder.facts["sha256"] == hashlib.sha256("".join(hashes).encode()).hexdigest()


def test_the_command_says_all_figures(registry):
    words = ["bench", "--codecs", str(SPEECH), "--repeats", "1"]
    app = App(registry=registry, environ={})
    result = CliRunner().invoke(cli, [*words, "--json"], obj=app)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["files"] == [{"file": SPEECH.name, "sha256": sha256(SPEECH)}]
    assert len(told["codec"]["sha256"]) == 64
    ours = told["codecs"][0]
    assert ours["name"].startswith("embedded-16k:")
    assert ours["bits_per_second"] == pytest.approx(4000, rel=0.02)  # the last frame is a whole one
    assert ours["weight_bytes"] > 1e6
    judged = {name.partition("_")[0] for name in ours["scores"]}
    assert judged | set(told["unavailable"]) == {"pesq", "stoi", "similarity"}
    table = CliRunner().invoke(cli, words, obj=app).stdout
    assert "kbit/s" in table
    assert "compression level 1, variable rate" in table


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([str(SPEECH)], "FILES can only be used with --codecs"),
        (["--codecs"], "--codecs needs FILES"),
        (["--codecs", str(SPEECH), "-m", "x"], "--json: leave out --model"),
        (["--levels", "4"], "--levels can only be used with --codecs"),
    ],
)
def test_options_that_do_not_go_together_are_refused(registry, words, told):
    result = CliRunner().invoke(cli, ["bench", *words], obj=App(registry=registry))
    assert result.exit_code == 2
    assert told in result.stderr
