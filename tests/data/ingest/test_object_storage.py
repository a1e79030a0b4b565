"""Recordings and datasets at URLs: nothing differs from those in folders."""

import json
from importlib.util import find_spec

import fsspec
import numpy as np
import pytest
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.data.dataset.folder import Dataset

QUICK = ("--set", "text.phonemizer=none", "--set", "codec=staircase")


@pytest.fixture
def memory():
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


@pytest.fixture
def folder(tmp_path):
    """Two recordings with texts, one that is no audio, and noise."""
    folder = tmp_path / "audio"
    for number, name in enumerate(("ann/0", "ann/1", "Noise/rain")):
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, 8_000)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Clip(noise.astype(np.float32), 16_000).write(folder / f"{name}.wav")
    (folder / "ann" / "2.wav").write_text("not audio")
    for number in range(3):
        (folder / "ann" / f"{number}.txt").write_text("hello")
    return folder


@pytest.fixture
def run(small_registry, tmp_path):
    def run(*args):
        app = App(registry=small_registry, environ={"VALL_E_HOME": str(tmp_path / "home")})
        return CliRunner().invoke(cli, ["data", "process", *map(str, args), *QUICK], obj=app)

    return run


def contents(dataset):
    codes = [dataset.codes(entry) for entry in dataset.entries]
    return [(e.id, e.speaker, e.seconds) for e in dataset.entries], np.concatenate(codes, axis=1)


def test_a_dataset_goes_from_url_to_url_and_is_what_it_is_here(memory, folder, run, tmp_path):
    memory.put(str(folder), "/audio", recursive=True)
    assert run(folder, "-o", tmp_path / "here").exit_code == 0
    result = run("memory://audio", "-o", "memory://sets/mine")
    assert result.exit_code == 0, result.output
    assert "memory://sets/mine: 2 utterances" in result.output
    assert "memory://audio/ann/2.wav is not readable audio" in result.output
    memory.get("/sets/mine", str(tmp_path / "there"), recursive=True)
    for part in ("", "noise"):
        ids, codes = contents(Dataset(tmp_path / "there" / part))
        ours, expected = contents(Dataset(tmp_path / "here" / part))
        assert ids == ours
        assert np.array_equal(codes, expected)
    [row] = (tmp_path / "there" / "skipped.jsonl").read_text().splitlines()
    assert json.loads(row)["path"] == "memory://audio/ann/2.wav"
    assert Dataset(tmp_path / "there").entries[0].source == "memory://audio/ann/0.wav"
    assert not list((tmp_path / "home" / "work").iterdir())


def test_what_is_at_a_url_is_added_to(memory, folder, run):
    url = f"file://{folder}"
    assert run(url, "-o", "memory://mine").exit_code == 0
    (folder / "ann" / "3.txt").write_text("news")
    (folder / "ann" / "3.wav").write_bytes((folder / "ann" / "0.wav").read_bytes())
    result = run(url, "-o", "memory://mine")
    assert "3 utterances" in result.output
    assert "1 new, 2 already done, 1 skipped" in result.output
    assert len(memory.cat_file("/mine/manifest.jsonl").splitlines()) == 3


def test_a_run_that_was_stopped_continues_before_anything_is_published(
    memory, folder, run, tmp_path
):
    """The folder of the first run, in which one utterance was done."""
    assert run(folder, "-o", tmp_path / "work", "--stride", 2).exit_code == 0
    result = run(folder, "-o", "memory://mine", "--work", tmp_path / "work")
    assert "1 new, 1 already done" in result.output
    assert json.loads(memory.cat_file("/mine/dataset.json"))["utterances"] == 2


def test_what_someone_else_published_in_the_meantime_is_not_overwritten(
    memory, folder, run, tmp_path
):
    assert run(folder, "-o", tmp_path / "work").exit_code == 0
    (tmp_path / "work" / ".published.json").write_text("null")
    memory.pipe("/mine/dataset.json", b"theirs")
    result = run(folder, "-o", "memory://mine", "--work", tmp_path / "work")
    assert result.exit_code == 8
    assert "memory://mine was changed by someone else" in result.stderr
    assert memory.cat_file("/mine/dataset.json") == b"theirs"
    assert (tmp_path / "work" / "codes.i16").exists()


def test_a_fetch_that_breaks_off_is_begun_again(memory, folder, run, tmp_path, monkeypatch):
    assert run(folder, "-o", "memory://mine").exit_code == 0
    whole = memory.get_file

    def breaks_off(name, path):
        if name.endswith("manifest.jsonl"):
            raise OSError("gone")
        whole(name, path)

    goes_on = (folder, "-o", "memory://mine", "--work", tmp_path / "work")
    with monkeypatch.context() as patch:
        patch.setattr(memory, "get_file", breaks_off)
        assert run(*goes_on).exit_code == 8
    assert "0 new, 2 already done" in run(*goes_on).output


@pytest.mark.parametrize(
    ("url", "code", "told"),
    [
        ("memory://nothing", 8, "memory://nothing is empty"),
        ("zzz://a/b", 8, "zzz://a/b cannot be reached: Protocol not known: zzz"),
        ("s3://bucket/audio", 4, "pip install s3fs"),
    ],
)
def test_a_url_that_leads_nowhere_is_reported(memory, run, tmp_path, url, code, told):
    if url.startswith("s3") and find_spec("s3fs"):
        pytest.skip("s3fs is installed")
    result = run(url, "-o", tmp_path / "out")
    assert (result.exit_code, told in result.stderr) == (code, True), result.stderr
