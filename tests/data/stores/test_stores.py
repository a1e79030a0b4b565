"""Stores beside each other: the same examples from each, and what damaged ones say."""

import io
import json
import shutil

import numpy as np
import pytest

from vall_e.audio.ecker_codes import EckerCodes
from vall_e.cli.app import App, cli
from vall_e.config.load import load
from vall_e.data.batching.corpus import make_corpus
from vall_e.data.batching.loader import Maker, make_order
from vall_e.data.convert import items_of
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest_lines import INDEX, Entries
from vall_e.data.dataset.open import open_stored
from vall_e.data.dataset.similar_file import read_similar, write_similar
from vall_e.data.inspect.stats import survey_of
from vall_e.data.stores.ecker import EckerStore
from vall_e.data.stores.webdataset import read_shard
from vall_e.discovery import discover
from vall_e.errors import CheckpointError, DataError
from vall_e.interfaces.store import Info
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing import StaircaseCodec
from vall_e.testing.contracts.store import INFO, some_items
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary

h5py = pytest.importorskip("h5py")
ASSUMED = Info("encodec-24k:0", 75.0, 24_000, 3, 64, "espeak")


@pytest.fixture(scope="module")
def registry():
    return discover(load_plugins=False)


@pytest.fixture
def convert(registry):
    from click.testing import CliRunner

    def run(*words):
        app = App(registry=registry)
        return CliRunner().invoke(cli, ["data", "convert", *map(str, words)], obj=app)

    return run


def examples(stored, registry):
    """Of two epochs: all that a model would see of them."""
    letters = Vocabulary.of("abcdefghijklmnopqrstuvwxyz ")
    corpus = make_corpus([stored], letters, ("en-us",), seconds=(0.0, 60.0))
    maker = Maker(corpus, [Tts(TtsConfig())], lambda rng: rng.randrange(3), 0)
    order = make_order(corpus, load(None, registry).data, seed=0)
    return [
        [(segment.name, segment.ids.tolist()) for segment in maker(draw).segments]
        for epoch in range(2)
        for batch in order.epoch(epoch)
        for draw in batch
    ]


@pytest.mark.parametrize(
    "store", ["hdf5", "webdataset", "{name: webdataset, shard_megabytes: 0.01}"]
)
def test_each_store_gives_the_same_examples(tmp_path, registry, convert, store):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    done = convert(folder, tmp_path / "other", "--to", store)
    assert done.exit_code == 0, done.output
    assert "20 utterances" in done.output
    other = open_stored(tmp_path / "other", registry)
    assert list(other.entries) == list(Dataset(folder).entries)
    assert examples(other, registry) == examples(Dataset(folder), registry)
    assert convert(tmp_path / "other", tmp_path / "back").exit_code == 0
    for name in ("codes.i16", "manifest.jsonl"):
        assert (tmp_path / "back" / name).read_bytes() == (folder / name).read_bytes()


def test_what_belongs_to_a_dataset_comes_along(tmp_path, convert):
    codec = StaircaseCodec(levels=3)
    folder = write_dataset(tmp_path / "data", codec)
    write_dataset(folder / "noise", codec)
    (folder / "skipped.jsonl").write_text('{"path": "a.wav", "reason": "silent"}\n')
    write_similar(folder, {"0": [("1", 0.5)]})
    assert "s/noise: 20 utterances" in convert(folder, tmp_path / "s", "--to", "webdataset").output
    assert convert(tmp_path / "s", tmp_path / "back").exit_code == 0
    for path in [*folder.rglob("*.jsonl"), *folder.rglob("*.i16")]:
        assert (tmp_path / "back" / path.relative_to(folder)).read_bytes() == path.read_bytes()
    told = convert(folder, tmp_path / "one.hdf5", "--to", "hdf5").stderr
    assert "the noise stays in" in told
    assert "the list of skipped recordings stays in" in told
    assert read_similar(tmp_path / "one.hdf5") == {"0": [("1", 0.5)]}


def test_noise_that_cannot_be_converted_leaves_nothing(tmp_path, convert):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    write_dataset(folder / "noise", StaircaseCodec(levels=3))
    (folder / "noise" / "codes.i16").write_bytes(b"")
    assert convert(folder, tmp_path / "s", "--to", "webdataset").exit_code == 8
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_source_is_relative_to_the_given_folder(tmp_path, registry, convert):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    lines = (folder / "manifest.jsonl").read_text().replace('"source": ""', '"source": "../a.wav"')
    (folder / "manifest.jsonl").write_text(lines)
    assert convert(folder, tmp_path / "far" / "away.hdf5", "--to", "hdf5").exit_code == 0
    assert open_stored(tmp_path / "far" / "away.hdf5", registry).entries[0].source == "../../a.wav"
    survey = survey_of(open_stored(folder, registry).entries, folder)
    assert survey.items[0].path == tmp_path / "a.wav"


def test_shards_that_do_not_fit_together_are_to_be_converted_to_again(tmp_path, registry, convert):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    convert(folder, tmp_path / "s", "--to", "webdataset")
    (tmp_path / "s" / "manifest.jsonl").write_text("")
    with pytest.raises(DataError) as caught:
        open_stored(tmp_path / "s", registry)
    assert caught.value.hint == "copy it again, or delete it and convert to it again"


def test_the_same_items_make_the_same_shards(tmp_path, convert):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    for name in "ab":
        convert(folder, tmp_path / name, "--to", "webdataset")
    first, second = ((tmp_path / name / "shard-000000.tar").read_bytes() for name in "ab")
    assert first == second


def test_a_shard_is_read_from_a_pipe_in_which_nothing_goes_back(tmp_path, registry):
    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self.data = io.BytesIO(data)

        def read(self, size=-1):
            return self.data.read(size)

    items = some_items()
    build = registry.get("store", "webdataset")
    build.build(build.config()).write(tmp_path / "data", INFO, items)
    content = (tmp_path / "data" / "shard-000000.tar").read_bytes()
    found = list(read_shard(Pipe(content), name="a pipe"))
    assert [item.entry.id for item in found] == [item.entry.id for item in items]
    assert all(np.array_equal(a.codes, b.codes) for a, b in zip(found, items, strict=True))
    with pytest.raises(DataError, match=r"a pipe is damaged after 'räume"):
        list(read_shard(Pipe(content[: len(content) // 2 // 512 * 512 + 600]), name="a pipe"))


@pytest.fixture
def original(tmp_path):
    """A folder as theirs, and what is in it by id."""
    found = {}
    for number in range(4):
        name = f"LibriTTS/J.{number % 2}/{number}"
        path = tmp_path / "theirs" / f"{name}.enc"
        path.parent.mkdir(parents=True, exist_ok=True)
        codes = np.random.default_rng(number).integers(0, 64, (3, 75 + number)).astype(np.int16)
        facts = {"original_length": 24_000, "sample_rate": 24_000}
        if number:
            facts |= {"text": f"text {number}", "phonemes": list("t(en)ɛkst"), "language": "en"}
        EckerCodes(codes, "encodec", facts).save(path)
        found[name] = codes
    table = tmp_path / "metadata" / "LibriTTS" / "J.0.json"
    table.parent.mkdir(parents=True)
    table.write_text(json.dumps({"0": {"text": "told", "phonemes": "toʊld", "language": "de"}}))
    return tmp_path / "theirs", found


def test_a_folder_of_the_original_is_read_with_its_metadata(original, registry):
    folder, codes = original
    stored = open_stored(folder, registry, assumed=ASSUMED)
    assert stored.info.speakers == 2
    assert {entry.id for entry in stored.entries} == codes.keys()
    for entry in stored.entries:
        assert np.array_equal(stored.codes(entry), codes[entry.id])
        assert entry.speaker == entry.id.rpartition("/")[0]
        assert entry.seconds == 1.0
    first, other = stored.entries[0], stored.entries[1]
    assert (first.text, first.phonemes, first.language) == ("told", "toʊld", "de")
    assert (other.text, other.phonemes, other.language) == ("text 2", "tɛkst", "en")


def test_an_hdf5_file_of_the_original_is_read(tmp_path, registry, convert):
    codes = np.random.default_rng(0).integers(0, 64, (90, 3)).astype(np.int16)
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file.attrs["symmap"] = json.dumps({"a": 3, "ɛ": 4})
        file.create_dataset("training/G/ann/x/audio", data=codes, compression="lzf")
        file.create_dataset("training/G/ann/x/text", data=np.array([1, 3, 4, 2], np.uint8))
        file["training/G/ann/x"].attrs["language"] = "en"
        file.create_dataset("noise/G/hum/y/audio", data=codes[:50])
    stored = open_stored(tmp_path, registry, assumed=ASSUMED)
    (entry,) = stored.entries
    assert (entry.id, entry.speaker, entry.phonemes) == ("G/ann/x", "G/ann", "aɛ")
    assert np.array_equal(stored.codes(entry), codes.T)
    noise = EckerStore(split="noise").open(tmp_path, assumed=ASSUMED)
    assert noise.entries[0].frames == 50
    done = convert(tmp_path, tmp_path / "out", "--to", "hdf5")
    assert "does not say which codec made it" in done.output + str(done.exception)


def spoil(path, how):
    if how == "malicious":
        head = path.read_bytes()[: path.read_bytes().index(b"\n") + 1]
        path.write_bytes(head + b"cos\nsystem\n(S'true'\ntR.")
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:-40])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "levels":
        EckerCodes(np.zeros((2, 75), np.int16), "encodec", {}).save(path)
    elif how == "no frames":
        EckerCodes(np.zeros((3, 0), np.int16), "encodec", {}).save(path)
    elif how == "rate":
        facts = {"original_length": 48_000, "sample_rate": 24_000}
        EckerCodes(np.zeros((3, 75), np.int16), "encodec", facts).save(path)
    else:
        EckerCodes(np.zeros((3, 75), np.int16), "dac", {}).save(path.with_suffix(".dac"))
        path.unlink()


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("malicious", "is a pickle that calls os.system"),
        ("truncated", "is not a valid file of arrays"),
        ("empty", "is not a valid file of arrays"),
        ("levels", "has 2 levels"),
        ("no frames", "0 frames"),
        ("rate", "claims 2.00 s, but its codes last 1.00 s"),
        ("codec", "has codes of dac, but the codec is encodec"),
    ],
)
def test_a_bad_file_of_the_original_is_named_and_refused_or_left_out(original, how, says):
    folder, _ = original
    spoil(folder / "LibriTTS" / "J.1" / "3.enc", how)
    with pytest.raises((DataError, CheckpointError), match=says) as caught:
        EckerStore(split="training").open(folder, assumed=ASSUMED)
    assert "1/3" in caught.value.message
    assert caught.value.hint
    rest = EckerStore(split="training", bad_files="skip").open(folder, assumed=ASSUMED)
    assert len(rest.entries) == 3
    assert says in next(iter(rest.left_out.values()))


def test_a_large_manifest_gets_an_index_that_follows_it(tmp_path):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    plain = list(Entries(folder))
    assert not (folder / INDEX).exists()
    found = Entries(folder, small=0)
    assert (folder / INDEX).exists()
    assert [found[i] for i in range(20)] == plain == list(found)
    assert found[-1] == plain[-1]
    assert found[2:5] == plain[2:5]
    assert Entries(folder, small=0).frames == found.frames
    other = write_dataset(tmp_path / "other", StaircaseCodec(levels=3), utterances=7)
    shutil.copy(other / "manifest.jsonl", folder / "manifest.jsonl")
    assert len(Entries(folder, small=0)) == 7


def test_an_index_is_the_same_whoever_wrote_the_lines(tmp_path):
    """In ours the places are found without reading the rest; a text may look like them."""
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    path = folder / "manifest.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[3]["text"] = 'he said "offset": 7, "frames": 9'
    ours = "".join(json.dumps(row) + "\n" for row in rows)
    theirs = "".join(json.dumps(dict(sorted(row.items()))) + "\n" for row in rows)
    mixed = "".join(a if n % 2 else b for n, (a, b) in enumerate(zip(*(
        text.splitlines(keepends=True) for text in (ours, theirs)), strict=True)))  # fmt: skip
    for text in (ours, theirs, mixed):
        path.write_text(text)
        small, large = Entries(folder), Entries(folder, small=0)
        assert np.array_equal(small.rows, large.rows)
        assert small.frames == large.frames > 0
        assert list(small) == [large[i] for i in range(20)]


def test_a_damaged_line_of_a_large_manifest_is_reported_when_it_is_read(tmp_path):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    path = folder / "manifest.jsonl"
    path.write_text(path.read_text().replace('"speaker": "bob"', '"speaker: "bob"', 1))
    found = Entries(folder, small=0)
    assert found[0].speaker == "ann"
    with pytest.raises(DataError, match=r"manifest\.jsonl is damaged"):
        found[1]


def test_a_folder_that_cannot_be_written_is_read_without_an_index(tmp_path):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    (folder / INDEX).mkdir()  # whoever may do everything cannot replace this
    assert len(list(Entries(folder, small=0))) == 20


@pytest.mark.parametrize(("store", "file"), [("hdf5", ""), ("webdataset", "shard-000000.tar")])
def test_damaged_codes_are_named(tmp_path, registry, convert, store, file):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    convert(folder, tmp_path / "other", "--to", store)
    path = tmp_path / "other" / file if file else tmp_path / "other"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"is a? ?damaged") as caught:
        list(items_of(open_stored(tmp_path / "other", registry)))
    assert str(path) in caught.value.message


def test_a_conversion_that_fails_leaves_nothing(tmp_path, convert):
    folder = write_dataset(tmp_path / "data", StaircaseCodec(levels=3))
    lines = (folder / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "manifest.jsonl").write_bytes(b"".join([*lines[:-1], lines[0]]))
    for store in ("folder", "hdf5", "webdataset"):
        assert convert(folder, tmp_path / "other", "--to", store).exit_code != 0
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
