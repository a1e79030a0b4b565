"""Damaged utterances in each store: named, and left out or the end, wherever they are read."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from vall_e.audio.ecker_codes import EckerCodes
from vall_e.config.data import DataConfig
from vall_e.data.batching.corpus import make_corpus
from vall_e.data.batching.loader import Loader, Maker, make_order
from vall_e.data.batching.mixing import Materials
from vall_e.data.convert import items_of
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.open import open_stored
from vall_e.data.stores.hdf5 import Hdf5Store
from vall_e.data.stores.webdataset import Shards, WebDatasetStore
from vall_e.discovery import discover
from vall_e.errors import DataError, VallEError
from vall_e.interfaces.store import Info
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary

h5py = pytest.importorskip("h5py")
BAD = 7
CODEC = StaircaseCodec(levels=3)
ASSUMED = Info("encodec-24k:0", 50.0, 16_000, 3, 16, "none")


@pytest.fixture(scope="module")
def registry():
    return discover(load_plugins=False)


def in_folder(source, path):
    return source.folder


def in_hdf5(source, path):
    Hdf5Store().write(path, source.info, items_of(source))
    return path


def in_shards(source, path):
    WebDatasetStore(10_000).write(path, source.info, items_of(source))
    return path


def in_ecker(source, path):
    for item in items_of(source):
        entry = item.entry
        file = path / "group" / entry.speaker / f"{entry.id}.enc"
        file.parent.mkdir(parents=True, exist_ok=True)
        facts = {"text": entry.text, "phonemes": entry.phonemes, "language": "en-us"}
        length = {"original_length": int(entry.seconds * 24_000), "sample_rate": 24_000}
        EckerCodes(item.codes, "encodec", facts | length).save(file)
    return path


def folder_codes(path: Path, entry):
    codes = np.memmap(path / "codes.i16", dtype="<i2", mode="r+").reshape(-1, 3)
    codes[entry.offset] = 9999
    codes.flush()


def folder_truncated(path: Path, entry):
    (path / "codes.i16").write_bytes((path / "codes.i16").read_bytes()[: (entry.offset + 5) * 6])


def folder_entry(path: Path, entry, **changes):
    manifest = path / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    lines[BAD] |= changes
    manifest.write_text("".join(json.dumps(line) + "\n" for line in lines))


def folder_rate(path: Path, entry):
    folder_entry(path, entry, seconds=2 * entry.seconds)


def folder_empty(path: Path, entry):
    folder_entry(path, entry, frames=0)


def hdf5_codes(path: Path, entry):
    with h5py.File(path, "r+") as file:
        file["codes"][entry.offset] = -3


def hdf5_rate(path: Path, entry):
    with h5py.File(path, "r+") as file:
        file["manifest"][BAD] = json.dumps(
            json.loads(file["manifest"][BAD]) | {"seconds": entry.seconds / 2}
        )


def _member(path: Path, change):
    """Rewrites the array of an utterance in its shard, in as many bytes as it had."""
    shard, first, length = (int(value) for value in np.load(path / "places.npy")[BAD])
    file = path / f"shard-{shard:06d}.tar"
    whole = bytearray(file.read_bytes())
    changed = change(bytes(whole[first : first + length]))
    whole[first : first + length] = changed.ljust(length, b"\0")
    file.write_bytes(whole)


def shards_corrupt(path: Path, entry):
    _member(path, lambda content: b"nonsense" + content[8:])


def shards_truncated(path: Path, entry):
    _member(path, lambda content: content[:64])


def shards_levels(path: Path, entry):
    def flat(content):
        out = BytesIO()
        np.save(out, np.load(BytesIO(content)).reshape(1, -1))
        return out.getvalue()

    _member(path, flat)


def ecker_file(path: Path, entry):
    return path / "group" / entry.speaker / f"{entry.id}.enc"


def original_truncated(path: Path, entry):
    file = ecker_file(path, entry)
    file.write_bytes(file.read_bytes()[:-30])


def original_empty(path: Path, entry):
    ecker_file(path, entry).write_bytes(b"")


def ecker_levels(path: Path, entry):
    EckerCodes(np.zeros((2, 50), np.int16), "encodec", {}).save(ecker_file(path, entry))


def ecker_codec(path: Path, entry):
    codes = np.full((3, entry.frames), 999, np.int16)
    EckerCodes(codes, "encodec", {"phonemes": "on"}).save(ecker_file(path, entry))


CASES = [
    (in_folder, folder_codes, "has codes from"),
    (in_folder, folder_rate, "its codes last"),
    (in_folder, folder_empty, "is empty"),
    (in_hdf5, hdf5_codes, "has codes from -3"),
    (in_hdf5, hdf5_rate, "its codes last"),
    (in_shards, shards_corrupt, "cannot be read"),
    (in_shards, shards_truncated, "cannot be read"),
    (in_shards, shards_levels, "cannot be read"),
    (in_ecker, original_truncated, "is not a valid file"),
    (in_ecker, original_empty, "is not a valid file"),
    (in_ecker, ecker_levels, "has 2 levels"),
    (in_ecker, ecker_codec, "is not from the codec"),
]


def loader(path, registry, bad_items, workers=0, **data):
    stored = open_stored(path, registry, assumed=ASSUMED, bad_items=bad_items)
    letters = Vocabulary.of("abcdefghijklmnopqrstuvwxyz ")
    corpus = make_corpus([stored], letters, ("en-us",), seconds=(0.0, 60.0))
    maker = Maker(corpus, [Tts(TtsConfig())], lambda rng: 0, 0)
    order = make_order(
        corpus, DataConfig(**{"batch_seconds": 9, "without_prompt": 1} | data), seed=0
    )
    return Loader(order, maker, bad_items=bad_items, workers=workers)


def an_epoch(found):
    return [i for _, batch in zip(found.order.epoch(0), found, strict=False) for i in batch.ids]


@pytest.mark.parametrize(
    ("store", "spoil", "says"), CASES, ids=lambda case: getattr(case, "__name__", "")
)
def test_a_damaged_utterance_is_named_or_left_out_as_configured(
    tmp_path, registry, caplog, store, spoil, says
):
    source = Dataset(write_dataset(tmp_path / "source", CODEC))
    path = store(source, tmp_path / "data")
    entry = source.entries[BAD]
    spoil(path, entry)
    with pytest.raises(VallEError) as caught:
        an_epoch(loader(path, registry, "error"))
    assert says in caught.value.message
    assert entry.id in caught.value.message
    assert caught.value.hint
    ids = an_epoch(loader(path, registry, "skip"))
    assert {name.rpartition("/")[2] for name in ids} == {
        one.id for one in source.entries if one.id != entry.id
    }
    assert entry.id in caplog.text


@pytest.mark.parametrize("byte", [0, 40, 255])
def test_whichever_byte_of_an_array_is_wrong_it_is_reported_by_its_name(tmp_path, byte):
    source = Dataset(write_dataset(tmp_path / "source", CODEC))
    path = in_shards(source, tmp_path / "data")
    entry, places = source.entries[BAD], np.load(path / "places.npy")
    shard, first, _ = places[BAD].tolist()
    file = path / f"shard-{shard:06d}.tar"
    whole, stored, told = file.read_bytes(), Shards(path), []
    for offset in range(first, first + 128):
        file.write_bytes(whole[:offset] + bytes([byte]) + whole[offset + 1 :])
        try:
            stored.codes(entry)
        except DataError as exc:
            told.append(exc.message)
    assert len(told) > 20
    assert all(f"'{entry.id}'" in message for message in told)


def test_a_folder_that_lacks_its_end_is_refused_or_read_as_far_as_it_goes(tmp_path, registry):
    folder = write_dataset(tmp_path / "data", CODEC)
    entries = list(Dataset(folder).entries)
    folder_truncated(folder, entries[17])
    with pytest.raises(DataError, match="is damaged"):
        loader(folder, registry, "error")
    skipping = loader(folder, registry, "skip")
    assert set(an_epoch(skipping)) == {entry.id for entry in entries[:17]}
    assert len(skipping.left_out) == 3
    assert any(f"'{entries[17].id}'" in said for said in skipping.left_out)


@pytest.mark.parametrize("bad_items", ["error", "skip"])
def test_a_loader_process_that_finds_damage_names_it_too(tmp_path, registry, bad_items):
    source = Dataset(write_dataset(tmp_path / "source", CODEC))
    path = in_hdf5(source, tmp_path / "data")
    hdf5_codes(path, source.entries[BAD])
    found = loader(path, registry, bad_items, workers=1)
    if bad_items == "error":
        with pytest.raises(DataError, match=f"'{source.entries[BAD].id}' of .* has codes"):
            an_epoch(found)
    else:
        assert len(set(an_epoch(found))) == 19
        assert len(found.left_out) == 1


def test_whatever_fails_in_a_sample_is_reported_with_its_name(tmp_path, registry):
    """Nobody finds a broken item of a million by a traceback alone."""
    found = loader(write_dataset(tmp_path / "data", CODEC), registry, "skip")

    class Broken(Tts):
        def sample(self, **_):
            raise ZeroDivisionError("of a plugin")

    class Asking(Tts):
        def sample(self, *, source, rng, **_):
            source.mixed(None, None, decibels=0.0)

    for task, error in ((Broken, ZeroDivisionError), (Asking, DataError)):
        failing = evolve(found.maker, tasks=[task(TtsConfig())])
        with pytest.raises(error) as caught:
            an_epoch(Loader(found.order, failing, bad_items="skip"))
        told = [*getattr(caught.value, "__notes__", ()), str(getattr(caught.value, "message", ""))]
        assert "in a sample of '" in " ".join(told)


def test_a_batch_of_nothing_but_damage_gets_something_else(tmp_path, registry):
    """Other ranks have one: without, they would wait for this one for ever."""
    folder = write_dataset(tmp_path / "data", CODEC)
    entries = list(Dataset(folder).entries)
    folder_codes(folder, entries[BAD])
    found = loader(folder, registry, "skip", batch_size=1)
    ids = an_epoch(found)
    assert len(ids) == 20
    assert set(ids) == {entry.id for entry in entries} - {entries[BAD].id}
    assert ids == an_epoch(loader(folder, registry, "skip", batch_size=1))


def test_noise_that_is_damaged_is_named(tmp_path, registry):
    import random

    noise = write_dataset(tmp_path / "noise", CODEC, utterances=1)
    entry = Dataset(noise).entries[0]
    folder_codes(noise, entry)
    speech = loader(write_dataset(tmp_path / "data", CODEC), registry, "error").maker.corpus
    source = Materials(speech, noises=[Dataset(noise)]).of(0, 0)
    with pytest.raises(DataError, match=f"'{entry.id}' of .*noise has codes from"):
        source.noise(entry.frames + 1, random.Random(0))
