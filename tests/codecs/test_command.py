"""`vall-e codec encode`, `decode` and `info`."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.audio.ecker_codes import EckerCodes
from vall_e.cli.app import App, cli
from vall_e_codecs.embedded import weights

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(registry, tiny_weights, tmp_path):
    """`vall-e codec ...` with the codec in `codec.safetensors`, which is small."""
    path = tmp_path / "codec.safetensors"
    weights.save(tiny_weights, path)

    def run(command, *words, codec=path):
        arguments = ["codec", command, *map(str, words)]
        if codec:
            arguments += ["--codec", "embedded", "--set", f"codec.path={codec}"]
        return CliRunner().invoke(cli, arguments, obj=App(registry=registry, environ={}))

    return run


@pytest.fixture
def folder(tmp_path):
    """Recordings of 0.5 s and 1 s, and something else, in folders."""
    folder = tmp_path / "sounds"
    (folder / "deep").mkdir(parents=True)
    t = np.arange(24_000) / 24_000
    tone = Clip((0.3 * np.sin(1000 * t)).astype("f4"), 24_000)
    tone.cut(0, 0.5).write(folder / "short.wav")
    tone.write(folder / "deep" / "long.flac")
    (folder / "notes.txt").write_text("hello")
    return folder


def test_a_recording_becomes_codes_and_sound_again(run, folder, tmp_path, tiny_weights):
    codes, again = tmp_path / "x.codes.safetensors", tmp_path / "again.flac"
    result = run("encode", folder / "short.wav", "-o", codes)
    assert result.exit_code == 0, result.output
    assert f"{codes}: 25 frames, 3 levels, 0.50 s" in result.stdout
    found = Codes.load(codes)
    assert (found.codec, found.values.shape) == (tiny_weights.identity, (3, 25))
    assert run("decode", codes, "-o", again).exit_code == 0
    clip = Clip.read(again)
    assert (clip.seconds, clip.sample_rate) == (0.5, 16_000)


def test_folders_are_encoded_and_decoded_as_they_are(run, folder, tmp_path):
    out, back = tmp_path / "codes", tmp_path / "back"
    assert run("encode", folder, "-o", out).exit_code == 0
    names = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert names == {"short.codes.safetensors", "deep/long.codes.safetensors"}
    assert run("decode", out, "-o", back, "--format", "flac").exit_code == 0
    names = {str(path.relative_to(back)) for path in back.rglob("*") if path.is_file()}
    assert names == {"short.flac", "deep/long.flac"}


def test_fewer_levels_are_kept_and_used(run, folder, tmp_path):
    codes = tmp_path / "x.codes.safetensors"
    run("encode", folder / "short.wav", "-o", codes, "--levels", "2")
    assert Codes.load(codes).values.shape == (2, 25)
    one, two = tmp_path / "1.wav", tmp_path / "2.wav"
    run("decode", codes, "-o", one, "--levels", "1")
    run("decode", codes, "-o", two)
    assert one.read_bytes() != two.read_bytes()
    for command, source, target in (
        ("encode", folder / "short.wav", codes),
        ("decode", codes, one),
    ):
        result = run(command, source, "-o", target, "--levels", "9")
        assert result.exit_code == 8
        assert "levels, not 9" in result.stderr


def test_codes_of_another_codec_are_refused_and_nothing_is_written(run, folder, tmp_path):
    codes, out = tmp_path / "x.codes.safetensors", tmp_path / "x.wav"
    run("encode", folder / "short.wav", "-o", codes)
    result = run("decode", codes, "-o", out, codec=None)
    assert result.exit_code == 8
    assert "are from the codec embedded-16k:" in result.stderr
    assert "Hint: use that codec" in result.stderr
    assert not out.exists()


def test_one_bad_file_of_several_is_reported_and_the_others_are_done(run, folder, tmp_path):
    (folder / "bad.wav").write_bytes(b"no sound")
    out = tmp_path / "codes"
    result = run("encode", folder, "-o", out)
    assert result.exit_code == 8
    assert "bad.wav is not readable audio" in result.stderr
    assert "1 of 3 files failed" in result.stderr
    assert len(list(out.rglob("*.codes.safetensors"))) == 2


def test_files_that_would_overwrite_one_another_are_refused(run, folder, tmp_path):
    (folder / "short.flac").write_bytes((folder / "deep" / "long.flac").read_bytes())
    result = run("encode", folder, "-o", tmp_path / "codes")
    assert result.exit_code == 8
    assert "would both be written to" in result.stderr
    assert not (tmp_path / "codes").exists()


def test_a_recording_is_not_written_over(run, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = Path("short.wav").read_bytes()
    for target in ("short.wav", "other.wav", "other", folder / "deep" / ".." / "short.wav"):
        result = run("encode", "short.wav", "-o", target)
        assert result.exit_code == 8, target
        told = "end in .codes.safetensors" if "other" in str(target) else "overwrite an input file"
        assert told in result.stderr
    assert Path("short.wav").read_bytes() == before
    assert not list(folder.glob("other*"))


def test_codes_are_not_written_over(run, folder, tmp_path):
    codes, link = tmp_path / "x.wav", tmp_path / "link.wav"
    run("encode", folder / "short.wav", "-o", tmp_path / "x.codes.safetensors")
    (tmp_path / "x.codes.safetensors").rename(codes)
    link.symlink_to(codes)
    before = codes.read_bytes()
    for target in (codes, link, tmp_path):
        result = run("decode", codes, "-o", target)
        assert result.exit_code == 8
        assert "would overwrite an input file" in result.stderr
    assert codes.read_bytes() == before


def test_what_cannot_be_written_is_reported_before_the_work(run, folder, tmp_path):
    """The codec is not even opened."""
    codes = tmp_path / "x.codes.safetensors"
    run("encode", folder / "short.wav", "-o", codes)
    for words, code, told in (
        (("-o", tmp_path / "x.txt"), 5, "x.txt ends in .txt"),
        (("-o", tmp_path / "d", "--format", "flac"), 2, "--format is for folders"),
        (("-o", tmp_path, "--format", "../../zz"), 2, "'../../zz' is not one of"),
    ):
        result = run("decode", codes, *words, codec=tmp_path / "nowhere.safetensors")
        assert result.exit_code == code, result.output
        assert told in result.stderr


def test_info_about_a_recording_says_how_to_make_codes(run, folder):
    result = run("info", folder / "short.wav", codec=None)
    assert result.exit_code == 8
    assert "short.wav is a recording" in result.stderr
    assert "vall-e codec encode" in result.stderr


def test_a_folder_without_recordings_is_reported(run, tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("encode", tmp_path / "empty", "-o", tmp_path / "codes")
    assert result.exit_code == 8
    assert "nothing to do" in result.stderr


def test_a_codec_and_an_option_that_do_not_exist_are_reported(run, folder, tmp_path):
    for words in (["--codec", "embeded"], ["--set", "codec.pth=x"]):
        result = run("encode", folder, "-o", tmp_path / "codes", *words, codec=None)
        assert result.exit_code == 3
        assert "did you mean" in result.stderr


def test_info_says_what_a_file_of_codes_holds(run, folder, tmp_path, tiny_weights):
    codes = tmp_path / "x.codes.safetensors"
    run("encode", folder / "short.wav", "-o", codes)
    told = json.loads(run("info", codes, "--json", codec=None).stdout)
    assert told == {
        "codec": tiny_weights.identity, "levels": 3, "frames": 25, "seconds": 0.5,
        "frame_rate": 50.0, "sample_rate": 16_000,
    }  # fmt: skip
    codes.write_bytes(codes.read_bytes()[:-9])
    result = run("info", codes, codec=None)
    assert result.exit_code == 7
    assert "damaged" in result.stderr


def test_info_says_what_a_codec_is(run, tmp_path, tiny_weights, codebooks):
    told = json.loads(run("info", tmp_path / "codec.safetensors", "--json", codec=None).stdout)
    assert told["identity"] == tiny_weights.identity
    assert (told["levels"], told["bits_per_second"]) == (3, 750)
    assert "decodes: True" in run("info").stdout
    weights.save(codebooks, tmp_path / "codebooks.safetensors")
    assert "decodes: False" in run("info", tmp_path / "codebooks.safetensors", codec=None).stdout


def test_the_commands_that_make_codecs_are_beside_ours(run, registry):
    result = CliRunner().invoke(cli, ["codec", "--help"], obj=App(registry=registry))
    for name in ("decode", "encode", "fit", "info", "resynthesize", "train"):
        assert f"\n  {name} " in result.stdout
    assert run("trian", codec=None).exit_code == 2
    top = CliRunner().invoke(cli, ["--help"], obj=App(registry=registry)).stdout
    assert [line.split()[0] for line in top.splitlines() if line].count("codec") == 1


def test_the_commands_of_the_page_run(registry, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "codecs.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"## Files of codes\n.*?```sh\n(.*?)```", page, re.DOTALL)
    (tmp_path / "recordings").mkdir()
    for name in ("voice.wav", "recordings/a.wav", "recordings/b.wav"):
        clip = Clip.read(ROOT / "tests" / "speech" / "a0031.flac")
        clip.cut(0, 1).write(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        result = CliRunner().invoke(cli, words[1:], obj=App(registry=registry, environ={}))
        assert result.exit_code == 0, result.output
    assert Clip.read(tmp_path / "again" / "b.flac").seconds == 1
    assert Codes.load(tmp_path / "small.codes.safetensors").values.shape == (2, 50)


def test_files_of_ecker_are_written_read_and_listed(run, folder, tmp_path):
    codes, other, again = (tmp_path / name for name in ("x.enc", "x.dac", "again.wav"))
    for target in (codes, other):
        result = run("encode", folder / "short.wav", "-o", target)
        assert result.exit_code == 8
        assert "cannot be stored in the format of" in result.stderr
    values = np.zeros((2, 25), np.int16)
    facts = {"original_length": 11_000, "sample_rate": 24_000, "text": "hello"}
    EckerCodes(values, "encodec", facts).save(codes)
    told = json.loads(run("info", codes, "--json", codec=None).stdout)
    assert told == {"codec": "encodec", "levels": 2, "frames": 25, "seconds": 0.458, **facts}
    result = run("decode", codes, "-o", again)
    assert result.exit_code == 8
    assert "has codes of encodec" in result.stderr


def test_a_file_that_wants_to_run_something_is_refused(run, tmp_path):
    class Bad:
        def __reduce__(self):
            return print, ("run",)

    np.save(tmp_path / "x", np.array({"codes": Bad()}, dtype=object), allow_pickle=True)
    (tmp_path / "x.npy").rename(tmp_path / "x.enc")
    for words in (("info", tmp_path / "x.enc"), ("decode", tmp_path / "x.enc", "-o", "a.wav")):
        result = run(*words)
        assert result.exit_code == 7
        assert "x.enc is a pickle that calls builtins.print" in result.stderr
        assert "\nrun" not in result.output


def test_codes_that_the_codec_does_not_have_are_refused(run, tmp_path, tiny_weights):
    codes, out = tmp_path / "x.codes.safetensors", tmp_path / "x.wav"
    for shape, entry, told in (((3, 9), 40, "go up to 40"), ((5, 9), 0, "have 5 levels")):
        values = np.full(shape, entry, np.int16)
        Codes(values, tiny_weights.identity, 50.0, 16_000).save(codes)
        result = run("decode", codes, "-o", out)
        assert (result.exit_code, told in result.stderr) == (8, True)
    assert run("decode", codes, "-o", out, "--levels", "3").exit_code == 0


def test_what_has_no_codes_and_no_sound_is_reported(run, folder, tmp_path):
    result = run("decode", folder / "short.wav", "-o", tmp_path / "x.wav")
    assert (result.exit_code, "short.wav contains no codes" in result.stderr) == (8, True)
    soundfile.write(folder / "none.wav", np.zeros(0), 8000)
    result = run("encode", folder / "none.wav", "-o", tmp_path / "x.codes.safetensors")
    assert (result.exit_code, "none.wav has no samples" in result.stderr) == (5, True)


@pytest.mark.parametrize("option", ["--from", "--to", "--pause"])
def test_times_that_are_not_numbers_are_refused(run, tmp_path, option):
    codes = tmp_path / "x.codes.safetensors"
    Codes(np.zeros((3, 9), np.int16), "x", 50.0, 16_000).save(codes)
    command = "join" if option == "--pause" else "cut"
    for value in ("nan", "inf", "-1"):
        result = run(command, codes, "-o", tmp_path / "y", option, value, codec=None)
        assert (result.exit_code, "is not a number of seconds" in result.stderr) == (2, True)


def test_codes_are_joined_and_cut(run, folder, tmp_path):
    codes, both, part = (tmp_path / f"{name}.codes.safetensors" for name in ("x", "both", "part"))
    run("encode", folder / "short.wav", "-o", codes)
    result = run("join", codes, codes, "-o", both, "--pause", "0.1")
    assert result.exit_code == 0, result.output
    assert f"{both}: 55 frames, 1.10 s" in result.stdout
    assert run("join", codes, codes, "-o", part, "--again").exit_code == 0
    assert Codes.load(part).frames == 50
    assert run("cut", both, "--to", "0.5", "-o", part, codec=None).exit_code == 0
    assert Codes.load(part) == Codes.load(codes)
    result = run("cut", both, "-o", tmp_path / "part.wav", codec=None)
    assert "does not end in .codes.safetensors" in result.stderr
