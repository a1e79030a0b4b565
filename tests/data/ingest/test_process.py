import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from vall_e.audio.clip import Clip
from vall_e.cli.app import App, cli
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest import read_entries
from vall_e.data.engines.local import LocalDataEngine
from vall_e.data.ingest.encode_recording import Preparer
from vall_e.data.ingest.process import process
from vall_e.data.ingest.recordings import find_recordings
from vall_e.errors import DataError, TextError
from vall_e.testing import StaircaseCodec


class Letters:
    """A front end that refuses digits."""

    def phonemes(self, text, language):
        if any(char.isdigit() for char in text):
            raise TextError(f"there is a digit in {text!r}")
        return text.lower()


def make(levels=3, languages=("en-us", "de"), **options):
    return Preparer(
        codec=StaircaseCodec(levels=levels),
        front_end=Letters(),
        phonemizer="letters",
        languages=languages,
        **options,
    )


def sound(seconds=0.5, rate=16_000, seed=0):
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate))
    return Clip(noise.astype(np.float32), rate)


@pytest.fixture
def folder(tmp_path):
    """Four good recordings, of 0.5 s to 0.8 s, and their table."""
    folder = tmp_path / "audio"
    folder.mkdir()
    rows = ["path\ttext\tspeaker\tlang"]
    for number in range(4):
        sound(0.5 + number / 10, seed=number).write(folder / f"{number}.wav")
        rows.append(f"{number}.wav\tHello {'again ' * number}\tann\ten")
    (folder / "transcripts.tsv").write_text("\n".join(rows) + "\n")
    return folder


def add(folder, row):
    with (folder / "transcripts.tsv").open("a") as file:
        file.write(row + "\n")


def run(folder, out, preparer=make, **options):
    return process(
        find_recordings(folder), out, preparer, **{"engine": LocalDataEngine()} | options
    )


def files(out):
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_codes_and_texts_are_stored(folder, tmp_path):
    report = run(folder, tmp_path / "out")
    assert (report.done, report.already, report.skipped) == (4, 0, ())
    dataset = Dataset(tmp_path / "out")
    assert [entry.seconds for entry in dataset.entries] == [0.5, 0.6, 0.7, 0.8]
    assert dataset.entries[1].phonemes == "hello again"
    assert dataset.entries[1].language == "en-us"
    assert dataset.info.seconds == pytest.approx(2.6)
    for entry in dataset.entries:
        clip = Clip.read(folder / f"{entry.id}.wav").mono()
        expected = StaircaseCodec(levels=3).encode(torch.from_numpy(clip.samples)[None, None])[0]
        assert np.array_equal(dataset.codes(entry), expected)
    part = dataset.codes(dataset.entries[2], 5, 9)
    assert np.array_equal(part, dataset.codes(dataset.entries[2])[:, 5:9])


def test_another_rate_is_resampled(tmp_path):
    (tmp_path / "in").mkdir()
    sound(rate=24_000).write(tmp_path / "in" / "a.wav")
    (tmp_path / "in" / "a.txt").write_text("hello")
    run(tmp_path / "in", tmp_path / "out")
    assert Dataset(tmp_path / "out").entries[0].frames == 25


BAD = {
    "gone.wav\thello\tann\ten": "gone.wav",
    "0.wav\t\tann\ten": "it has no transcript",
    "0.wav\troom 101\tann\ten": "there is a digit in 'room 101'",
    "0.wav\thola\tann\tes": "its language 'es' is not in text.languages ['en-us', 'de']",
    "0.wav\thello\tann\ten-gb": "its language 'en-gb' is not in text.languages",
    "silent.wav\thello\tann\ten": "silent",
    "short.wav\thello\tann\ten": "too short",
    "long.wav\thello\tann\ten": "too long",
    "text.wav\thello\tann\ten": "text.wav",
    "1.wav\tonce more\tann\ten": "its id '1' is already taken",
}


@pytest.mark.parametrize("row", BAD)
def test_a_recording_that_cannot_be_used_is_skipped_with_the_reason(folder, tmp_path, row):
    Clip(np.zeros(16_000, np.float32), 16_000).write(folder / "silent.wav")
    sound(0.05).write(folder / "short.wav")
    sound(3).write(folder / "long.wav")
    (folder / "text.wav").write_text("not audio")
    if row.startswith("0.wav"):  # its id is taken otherwise
        table = folder / "transcripts.tsv"
        table.write_text("path\ttext\tspeaker\tlang\n1.wav\thello\tann\ten\n")
    add(folder, row)
    report = run(folder, tmp_path / "out", partial(make, max_seconds=2))
    assert len(report.skipped) == 1
    assert BAD[row] in report.skipped[0].reason
    (line,) = (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()
    assert BAD[row] in json.loads(line)["reason"]
    assert len(Dataset(tmp_path / "out")) == report.done


def test_channels_that_cancel_each_other_are_not_silence(folder, tmp_path):
    one = sound().samples
    Clip(np.stack([one, -one]), 16_000).write(folder / "opposite.wav")
    add(folder, "opposite.wav\thello\tann\ten")
    assert not run(folder, tmp_path / "out", make).skipped
    assert Dataset(tmp_path / "out").codes(Dataset(tmp_path / "out").entries[-1]).std() > 0


def test_one_language_for_all(folder, tmp_path):
    run(folder, tmp_path / "out", partial(make, language="de"))
    assert {entry.language for entry in Dataset(tmp_path / "out").entries} == {"de"}


def test_what_is_done_is_not_done_again(folder, tmp_path):
    run(folder, tmp_path / "out")
    before = files(tmp_path / "out")
    sound(seed=9).write(folder / "0.wav")
    report = run(folder, tmp_path / "out")
    assert (report.done, report.already) == (0, 4)
    assert files(tmp_path / "out") == before


def test_new_recordings_are_added(folder, tmp_path):
    run(folder, tmp_path / "out")
    sound().write(folder / "new.wav")
    add(folder, "new.wav\tnews\tbob\ten")
    report = run(folder, tmp_path / "out")
    assert (report.done, report.already) == (1, 4)
    assert Dataset(tmp_path / "out").info.speakers == 2


class KilledError(Exception):
    """Stands for a kill: it ends the process wherever it is."""


def kill_after(number, folder, out):
    seen = []

    def kill(item):
        seen.append(item)
        if len(seen) == number:
            raise KilledError

    with pytest.raises(KilledError):
        run(folder, out, on_item=kill)


@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("torn", ["", "manifest.jsonl", "codes.i16"])
def test_a_run_that_was_killed_continues_where_it_was(folder, tmp_path, after, torn):
    run(folder, tmp_path / "whole")
    kill_after(after, folder, tmp_path / "out")
    with pytest.raises(DataError, match="is not finished"):
        Dataset(tmp_path / "out")
    if torn:
        with (tmp_path / "out" / torn).open("ab") as file:
            file.write(b'{"id": "3", "spe')
    report = run(folder, tmp_path / "out")
    assert (report.done, report.already) == (4 - after, after)
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_an_entry_whose_codes_were_lost_is_done_again(folder, tmp_path, caplog):
    run(folder, tmp_path / "out")
    whole = files(tmp_path / "out")
    (tmp_path / "out" / "codes.i16").write_bytes(whole["codes.i16"][:-10])
    with pytest.raises(DataError, match="is damaged"):
        Dataset(tmp_path / "out")
    assert run(folder, tmp_path / "out").done == 1
    assert files(tmp_path / "out") == whole
    assert "the codes of '3' were incomplete: it is processed again" in caplog.text


def test_a_file_of_codes_that_lacks_more_than_a_kill_takes_is_refused(folder, tmp_path):
    run(folder, tmp_path / "out")
    path = tmp_path / "out" / "codes.i16"
    path.write_bytes(path.read_bytes()[:100])
    before = files(tmp_path / "out")
    with pytest.raises(DataError, match=r"too short: the codes of 4 of 4 utterances are missing"):
        run(another(tmp_path), tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_a_folder_of_another_codec_is_refused(folder, tmp_path):
    run(folder, tmp_path / "out")
    with pytest.raises(DataError, match=r"was made with codec staircase:3.* not with .*:2"):
        run(folder, tmp_path / "out", partial(make, levels=2))


def test_a_folder_of_something_else_is_refused_and_left_as_it_is(folder, tmp_path):
    before = files(folder)
    with pytest.raises(DataError, match="contains other files, not a dataset"):
        run(folder, folder)
    assert files(folder) == before


@pytest.mark.parametrize("order", [[0, 2, 3], [1, 0, 2, 3], [1, 2, 3]], ids=str)
def test_a_manifest_whose_lines_were_moved_is_refused(folder, tmp_path, order):
    """Else new codes would be written over those of others."""
    run(folder, tmp_path / "out")
    path = tmp_path / "out" / "manifest.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[number] for number in order))
    before = files(tmp_path / "out")
    with pytest.raises(DataError, match=r"manifest.jsonl, line \d: the codes of .* start at frame"):
        run(folder, tmp_path / "out")
    assert files(tmp_path / "out") == before


def forget(out, lines):
    """Delete so many lines at the end of the manifest."""
    path = out / "manifest.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-lines]))


@pytest.mark.parametrize("lines", [1, 3, 4])
def test_a_finished_dataset_whose_last_lines_were_deleted_is_refused(folder, tmp_path, lines):
    """Else their codes would be cut off."""
    run(folder, tmp_path / "out")
    forget(tmp_path / "out", lines)
    before = files(tmp_path / "out")
    with pytest.raises(DataError, match=f"has {4 - lines} lines, but dataset.json says 4"):
        run(folder, tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_an_unfinished_dataset_without_its_last_line_continues(folder, tmp_path, caplog):
    run(folder, tmp_path / "whole")
    kill_after(3, folder, tmp_path / "out")
    forget(tmp_path / "out", 1)
    assert run(folder, tmp_path / "out").done == 2
    assert files(tmp_path / "out") == files(tmp_path / "whole")
    assert "bytes of an incomplete utterance are cut off" in caplog.text


def test_a_manifest_that_was_written_again_stays_whole(folder, tmp_path):
    """As by an editor that spells letters out; lengths in bytes are then not ours."""
    run(folder, tmp_path / "out")
    path = tmp_path / "out" / "manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    assert run(folder, tmp_path / "out").already == 4
    assert len(Dataset(tmp_path / "out")) == 4


def test_a_torn_letter_at_the_end_of_the_manifest_is_cut_off(folder, tmp_path):
    run(folder, tmp_path / "out")
    whole = files(tmp_path / "out")
    with (tmp_path / "out" / "manifest.jsonl").open("ab") as file:
        file.write('{"id": "3", "text": "gr\u00fc'.encode()[:-1])
    run(folder, tmp_path / "out")
    assert files(tmp_path / "out") == whole


def another(tmp_path):
    """A second folder, whose recordings are called as those of the first."""
    other = tmp_path / "other"
    other.mkdir()
    sound(0.9, seed=9).write(other / "0.wav")
    (other / "transcripts.tsv").write_text("path\ttext\tspeaker\n0.wav\tgoodbye\tbob\n")
    return other


def test_other_recordings_of_the_same_name_are_not_taken_for_done(folder, tmp_path):
    run(folder, tmp_path / "out")
    with pytest.raises(
        DataError, match="out already has other recordings with the same ids: '0'"
    ) as caught:
        run(another(tmp_path), tmp_path / "out")
    assert str(folder / "0.wav") in caught.value.message
    assert "data.train" in caught.value.hint


def test_recordings_that_were_moved_are_known_again(folder, tmp_path):
    run(folder, tmp_path / "out")
    folder.rename(tmp_path / "elsewhere")
    assert run(tmp_path / "elsewhere", tmp_path / "out").already == 4


def test_what_two_folders_left_out_is_all_listed(folder, tmp_path):
    add(folder, "silent.wav\thello\tann\ten")
    Clip(np.zeros(16_000, np.float32), 16_000).write(folder / "silent.wav")
    run(folder, tmp_path / "out")
    other = another(tmp_path)
    (other / "0.wav").rename(other / "new.wav")
    (other / "transcripts.tsv").write_text("path\ttext\nnew.wav\thello\nlost.wav\thello\n")
    run(other, tmp_path / "out")
    with (tmp_path / "out" / "skipped.jsonl").open("a") as damaged:
        damaged.write('{"path": \n[]\n')
    run(other, tmp_path / "out")
    lines = (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()
    names = [json.loads(line)["path"].rpartition("/")[2] for line in lines]
    assert names == ["silent.wav", "lost.wav"]
    (folder / "silent.wav").unlink()  # no longer there, so no longer left out
    run(other, tmp_path / "out")
    lines = (tmp_path / "out" / "skipped.jsonl").read_text().splitlines()
    assert [json.loads(line)["path"] for line in lines] == [str(other / "lost.wav")]


def test_a_row_without_a_path_is_skipped(folder, tmp_path):
    add(folder, "\tnowhere\tann\ten")
    report = run(folder, tmp_path / "out")
    assert report.done == 4
    assert [item.reason for item in report.skipped] == ["row 5 of the table names no audio file"]


HOLDER = """
import sys
from pathlib import Path
from vall_e.errors import DataError
from vall_e.folder_lock import locked
with locked(Path(sys.argv[1]), error=DataError):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_processes_do_not_write_one_folder(folder, tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "out")]
    with subprocess.Popen(command, **pipes, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DataError, match="out is being written by another process"):
            run(folder, tmp_path / "out")
        holder.kill()
    assert run(folder, tmp_path / "out").done == 4


def test_changed_transcripts_are_reported(folder, tmp_path, caplog):
    run(folder, tmp_path / "out")
    table = folder / "transcripts.tsv"
    table.write_text(table.read_text().replace("Hello", "Goodbye"))
    run(folder, tmp_path / "out")
    assert "4 transcripts have changed" in caplog.text


def command(registry, *args):
    app = App(registry=registry)
    return CliRunner().invoke(cli, ["data", "process", *map(str, args)], obj=app)


PHONEMES = ("--set", "text.phonemizer=none")
QUICK = (*PHONEMES, "--set", "codec=staircase")


def test_the_command_says_what_it_did(registry, folder, tmp_path):
    add(folder, "gone.wav\thello\tann\ten")
    result = command(registry, folder, "-o", tmp_path / "out", *PHONEMES)
    assert result.exit_code == 0, result.output
    assert "4 utterances, 0.00 h, 1 speakers, codec embedded-16k" in result.output
    assert "4 new, 0 already done, 1 skipped" in result.output
    assert "gone.wav" in result.output
    assert len(Dataset(tmp_path / "out")) == 4


@pytest.mark.slow
def test_worker_processes_change_nothing(registry, folder, tmp_path):
    add(folder, "gone.wav\thello\tann\ten")
    for name, workers in (("alone", 0), ("helped", 2)):
        options = ("-o", tmp_path / name, "--workers", workers, *PHONEMES)
        assert command(registry, folder, *options).exit_code == 0
    assert files(tmp_path / "alone") == files(tmp_path / "helped")


def test_the_command_refuses_what_makes_no_sense(small_registry, folder, tmp_path):
    result = command(small_registry, folder, "-o", tmp_path / "out", "--workers", -1)
    assert result.exit_code == 2
    assert "-1 is not in the range" in result.stderr
    result = command(small_registry, folder, "-o", tmp_path / "out", "--work", tmp_path)
    assert result.exit_code == 2
    assert "--work needs an -o that is a URL" in result.stderr
    result = command(small_registry, folder, "-o", tmp_path / "out", "--language", "xx", *QUICK)
    assert result.exit_code == 8
    assert "--language 'xx' is not in text.languages ['en-us']" in result.stderr
    result = command(small_registry, folder, "-o", tmp_path / "out", "--device", "quark", *QUICK)
    assert result.exit_code == 4
    assert "--device: there is no device 'quark'" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_made_is_reported(small_registry, folder, tmp_path):
    (tmp_path / "file").write_text("")
    result = command(small_registry, folder, "-o", tmp_path / "file" / "out", *QUICK)
    assert result.exit_code == 8
    assert "out cannot be written to: Not a directory" in result.stderr


def test_the_command_can_be_strict(small_registry, folder, tmp_path):
    add(folder, "gone.wav\thello\tann\ten")
    result = command(small_registry, folder, "-o", tmp_path / "out", "--strict", *QUICK)
    assert result.exit_code == 8
    assert len(Dataset(tmp_path / "out")) == 4


def test_the_command_fails_where_nothing_is_usable(small_registry, folder, tmp_path):
    for path in folder.glob("*.wav"):
        path.unlink()
    result = command(small_registry, folder, "-o", tmp_path / "out", *QUICK)
    assert result.exit_code == 8
    assert "no recording could be used" in result.stderr
    assert "skipped.jsonl" in result.stderr


def test_voices_need_no_transcript_and_get_no_text(folder, tmp_path):
    (folder / "transcripts.tsv").unlink()
    (folder / "0.txt").write_bytes("grün".encode("latin-1"))
    [reason, *_] = [one.reason for one in run(folder, tmp_path / "spoken").skipped]
    assert reason == "its transcript 0.txt is not UTF-8 text (byte 2)"
    report = process(
        find_recordings(folder),
        tmp_path / "out",
        partial(make, voices_only=True),
        engine=LocalDataEngine(),
    )
    assert report.info.utterances == 4
    assert {entry.phonemes for entry in Dataset(tmp_path / "out").entries} == {""}


def test_the_parts_of_a_recording_that_was_transcribed_become_utterances(small_registry, tmp_path):
    (tmp_path / "in").mkdir()
    sound(seconds=3).write(tmp_path / "in" / "a.wav")
    segments = [
        {"start": 0.5, "end": 1.0, "text": "hello"},
        {"start": 1.2, "end": 2.0, "text": "again"},
        {"start": 2.9, "end": 2.4, "text": "backwards"},
    ]
    heard = {"a.wav": {"segments": segments, "language": "en", "text": "hello again"}}
    (tmp_path / "in" / "heard.json").write_text(json.dumps(heard))
    options = ("--slices", "always", "--level", "-30", *QUICK)
    result = command(small_registry, tmp_path / "in", "-o", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert "skipped 1: its end precedes its start" in result.stdout
    entries = Dataset(tmp_path / "out").entries
    assert [(e.id, e.text, e.seconds) for e in entries] == [
        ("a_00000", "hello", 0.75),
        ("a_00001", "again", 1.35),
    ]
    assert command(small_registry, tmp_path / "in", "-o", tmp_path / "out", *options).exit_code == 0
    assert len(Dataset(tmp_path / "out")) == 2


def test_strides_share_out_all_recordings(small_registry, folder, tmp_path):
    found = []
    for offset in range(3):
        out = tmp_path / str(offset)
        args = (folder, "-o", out, "--stride", 3, "--offset", offset, *QUICK)
        assert command(small_registry, *args).exit_code == 0
        found += [entry.id for entry in Dataset(out).entries]
    assert sorted(found) == ["0", "1", "2", "3"]


def test_a_share_of_nothing_is_refused(small_registry, folder, tmp_path):
    share = ("-o", tmp_path / "out", "--stride", 5, "--offset")
    result = command(small_registry, folder, *share, 4, *QUICK)
    assert result.exit_code == 8
    assert "--offset 4 is too large for 4 recordings" in result.stderr
    result = command(small_registry, folder, *share, 5, *QUICK)
    assert result.exit_code == 2
    assert "--stride 5 needs an --offset from 0 to 4, not 5" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_level_is_what_the_codes_are_made_of(folder, tmp_path):
    run(folder, tmp_path / "plain")
    run(folder, tmp_path / "soft", partial(make, level=-40.0))
    plain, soft = (Dataset(tmp_path / name) for name in ("plain", "soft"))
    assert [e.frames for e in plain.entries] == [e.frames for e in soft.entries]
    assert not np.array_equal(plain.codes(plain.entries[0]), soft.codes(soft.entries[0]))


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_process import make, process, find_recordings, LocalDataEngine
def on_item(item):
    os.kill(os.getpid(), signal.SIGKILL)
source, out, engine = Path(sys.argv[2]), Path(sys.argv[3]), LocalDataEngine()
process(find_recordings(source), out, make, engine=engine, on_item=on_item)
"""


@pytest.mark.slow
def test_sigkill_loses_nothing_and_does_nothing_twice(folder, tmp_path):
    args = [sys.executable, "-c", KILLED, str(Path(__file__).parent)]
    args += [str(folder), str(tmp_path / "out")]
    for done in range(1, 3):
        assert subprocess.run(args, check=False).returncode == -signal.SIGKILL
        assert len(read_entries(tmp_path / "out")) == done
    assert run(folder, tmp_path / "out").already == 2
    run(folder, tmp_path / "whole")
    assert files(tmp_path / "out") == files(tmp_path / "whole")


def test_a_folder_of_noise_becomes_a_dataset_of_its_own(small_registry, folder, tmp_path):
    (folder / "transcripts.tsv").unlink()
    for number in range(4):
        (folder / f"{number}.txt").write_text("hello")
    (folder / "Noise").mkdir()
    sound(seed=8).write(folder / "Noise" / "rain.wav")
    for _ in range(2):
        result = command(small_registry, folder, "-o", tmp_path / "out", *QUICK)
        assert result.exit_code == 0, result.output
    assert len(Dataset(tmp_path / "out")) == 4
    [noise] = Dataset(tmp_path / "out" / "noise").entries
    assert (noise.id, noise.phonemes) == ("Noise/rain", "")
