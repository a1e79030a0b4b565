"""The files that users give, each with what reads it: small valid ones, to be damaged.

`write` fills an empty folder, of which any file may be damaged; `read` must then succeed, or raise
a `VallEError`. Commands must not exit with `BUG`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import torch
from attrs import evolve, frozen
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import save_file

from vall_e.audio.block_codes import Blocks
from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes, holds_codes
from vall_e.audio.ecker_codes import EckerCodes
from vall_e.cli.app import BUG, App, cli
from vall_e.cli.synth.batch import read_jobs
from vall_e.codec.encode import encode
from vall_e.codec.long_audio import encode_file
from vall_e.config.load import load as load_config
from vall_e.data.batching.corpus import make_corpus
from vall_e.data.convert import items_of
from vall_e.data.dataset.folder import Dataset
from vall_e.data.dataset.manifest_lines import Entries
from vall_e.data.dataset.open import BadItems, open_stored
from vall_e.data.dataset.similar_file import read_similar, write_similar
from vall_e.data.ingest.pending import write_skipped
from vall_e.data.ingest.recordings import find_recordings
from vall_e.data.ingest.resume import open_unfinished
from vall_e.data.ingest.segments import Mode, read_part
from vall_e.data.stores.hdf5 import Hdf5Store
from vall_e.data.stores.webdataset import WebDatasetStore, read_shard
from vall_e.discovery import discover, registry_of
from vall_e.errors import VallEError
from vall_e.evaluation.clips import read_lines, read_list
from vall_e.export.formats.components import build_ecker
from vall_e.export.formats.options import EckerExportConfig
from vall_e.export.formats.torch import TorchExporter
from vall_e.interfaces.store import Info, Stored
from vall_e.model.lora import Terms, attach, places
from vall_e.model.valle import Valle
from vall_e.registry import Registry
from vall_e.synthesis.loras import Loras
from vall_e.synthesis.result import provenance_in
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import Voices
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes import components
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.testing.fakes.tiny_model import ALPHABET, tiny_bundle
from vall_e.text.lexicon import Lexicon
from vall_e.text.symbol_splitter import read_pieces
from vall_e.text.vocabulary import Vocabulary
from vall_e.training.checkpoint import (
    TrainingState,
    read_state,
    resuming_from,
    write_checkpoint,
)
from vall_e.training.metrics import MetricsFile
from vall_e.training.optimizer_state import pack_optimizer, unpack_optimizer
from vall_e.weights.file import load, save
from vall_e.weights.locate import find_weights
from vall_e.weights.lora_file import read_lora, save_lora
from vall_e.weights.metadata import read_metadata
from vall_e.weights.speaking_options import load_run
from vall_e_codecs.embedded import weights as codec_weights
from vall_e_codecs.embedded.analysis import AnalysisSettings
from vall_e_codecs.embedded.quantizer import ResidualQuantizer
from vall_e_codecs.embedded.vocoder import Vocoder, VocoderSettings
from vall_e_codecs.weight_files import read_tensors
from vall_e_judges.campp import CamppEncoder
from vall_e_judges.campp_network import CamPlusPlus


class BugError(Exception):
    """A command exited with `BUG`: its output."""


@frozen
class Reader:
    """A kind of files."""

    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], object]


@cache
def registry() -> Registry:
    """With a codec without weights."""
    found = discover(load_plugins=False)
    offers = [evolve(o, distribution="staircase") for o in registry_of([components]).offers]
    return Registry([*found.offers, *offers])


@cache
def codec() -> StaircaseCodec:
    return components.build_staircase(components.StaircaseConfig())


def tone(seconds: float = 0.4, rate: int = 8000) -> Clip:
    t = np.arange(round(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * 220 * t) * (1 + np.sin(2 * np.pi * 9 * t)) / 2
    return Clip(wave.astype("f4"), rate)


def command(*words: str, given: bytes | None = None) -> Callable[[Path], None]:
    """Runs `vall-e` in the folder; {} in a word is the folder."""

    def run(folder: Path) -> None:
        app = App(environ={"VALL_E_HOME": str(folder / "home")}, registry=registry())
        before = Path.cwd()
        os.chdir(folder)
        try:
            result = CliRunner().invoke(cli, [*words], obj=app, input=given)
        finally:
            os.chdir(before)
        if result.exit_code == BUG:
            raise BugError(f"vall-e {' '.join(words)}\n{result.output}")

    return run


# Recordings


def write_audio(name: str, container: str, subtype: str, folder: Path) -> None:
    rate = 16_000 if subtype in ("OPUS", "VORBIS", "MPEG_LAYER_III") else 8000
    samples = tone(rate=rate).samples
    soundfile.write(folder / name, samples, rate, format=container, subtype=subtype)


def write_recording(name: str, folder: Path) -> None:
    tone(1.2).write(folder / name)


def read_audio(name: str, folder: Path) -> None:
    path = folder / name
    each(
        (
            lambda: Clip.read(path).mono().resample(codec().sample_rate).check(),
            lambda: read_part(path, 0.05, 0.2),
            lambda: encode_file(path, codec()),
            lambda: provenance_in(path),
        )
    )


def each(reads: Iterable[Callable[[], object]]) -> None:
    """Try all, also after an error of ours; then raise the first of these."""
    errors = []
    for read in reads:
        try:
            read()
        except VallEError as exc:
            errors.append(exc)
    if errors:
        raise errors[0]


AUDIO = [
    Reader(f"audio.{name}", partial(write_audio, file, *kind), partial(read_audio, file))
    for name, file, *kind in (
        ("wav", "a.wav", "WAV", "PCM_16"),
        ("float", "a.wav", "WAV", "FLOAT"),
        ("gsm", "a.wav", "WAV", "GSM610"),
        ("adpcm", "a.wav", "WAV", "IMA_ADPCM"),
        ("nms", "a.wav", "WAV", "NMS_ADPCM_32"),
        ("g721", "a.wav", "WAV", "G721_32"),
        ("flac", "a.flac", "FLAC", "PCM_16"),
        ("ogg", "a.ogg", "OGG", "VORBIS"),
        ("opus", "a.opus", "OGG", "OPUS"),
        ("mp3", "a.mp3", "MP3", "MPEG_LAYER_III"),
        ("aiff", "a.aiff", "AIFF", "PCM_16"),
        ("w64", "a.w64", "W64", "PCM_16"),
        ("caf", "a.caf", "CAF", "ALAC_16"),
        ("au", "a.wav", "AU", "G723_24"),
    )
]


# Codes and voices


def write_codes(folder: Path) -> None:
    encode(tone(), codec()).save(folder / "a.codes.safetensors")


def write_block_codes(folder: Path) -> None:
    found = encode(tone(), codec())
    found.with_blocks(Blocks.of([(0, found.frames, 1.0)])).save(folder / "a.codes.safetensors")


def read_codes(folder: Path) -> None:
    path = folder / "a.codes.safetensors"
    holds_codes(path)
    found = Codes.load(path)
    assert math.isfinite(found.seconds)
    assert found.frame_samples > 0
    Codes.join([found, found]).levels(1)


def write_ecker_codes(suffix: str, folder: Path) -> None:
    family = {".enc": "encodec", ".dac": "dac"}[suffix]
    facts = {"original_length": 24_000, "sample_rate": 24_000, "text": "hi", "phonemes": ["h"]}
    values = np.arange(150, dtype=np.int16).reshape(2, 75)
    EckerCodes(values, family, facts).for_dac(-20.0).save(folder / f"a{suffix}")


def read_ecker_codes(suffix: str, folder: Path) -> None:
    found = EckerCodes.load(folder / f"a{suffix}")
    theirs = StaircaseCodec(levels=2, codebook_size=200)
    theirs.identity, theirs.frame_rate = f"{found.family}-24k", 75.0
    assert found.loudness is None or math.isfinite(found.loudness)
    found.of(theirs, folder / f"a{suffix}")


def write_voice(folder: Path) -> None:
    clip = tone(1.2)
    voice = Voice.of(clip, codec(), name="a", seconds=3.0, transcript="hello", consent="mine")
    voice.save(folder / "a.voice.safetensors")


def read_voice(folder: Path) -> None:
    voice = Voice.load(folder / "a.voice.safetensors")
    voice.require(voice.codes.codec)
    voice.prompt(3.0)


def write_voices(folder: Path) -> None:
    tone(1.2).write(folder / "a.wav")
    voices = Voices(folder / "home")
    for name in ("ann", "bob"):
        voices.add(name, folder / "a.wav", text="hello", licence="CC0", consent="mine")


def read_voices(folder: Path) -> None:
    voices = Voices(folder / "home")
    found = {entry.name for entry in voices.entries()}
    assert found & {"ann", "bob"}, "one broken file must not take the other voices"
    each(partial(lambda name: Clip.read(voices.get(name).path), name) for name in ("ann", "bob"))


# Weights

SHORT = {"max_seconds": 0.1, "seconds_per_symbol": [0.0, 0.1]}


def write_weights(folder: Path) -> None:
    bundle = tiny_bundle(registry(), codec(), codec="staircase", synthesis=SHORT)
    save(bundle, folder / "a.safetensors")


def write_torch_weights(folder: Path) -> None:
    write_weights(folder)
    TorchExporter()(load(folder / "a.safetensors", registry()), folder / "a.pt")
    (folder / "a.safetensors").unlink()


def read_weights(folder: Path) -> None:
    load(folder / "a.safetensors", registry())


def read_weights_metadata(folder: Path) -> None:
    path = folder / "a.safetensors"
    config = folder / "run.yaml"
    config.write_text(f"training: {{start_from: {path}, output: {folder}/run}}\n")
    each((lambda: read_metadata(path), lambda: load_run(config, registry())))


THEIRS = {"d_model": 32, "layers": 2, "heads": 4, "d_ff": 128, "activation": "gelu"}


def write_theirs(name: str, folder: Path) -> None:
    model = {"backbone": {"name": "llama", **THEIRS}, "prompt_levels": "known"}
    bundle = tiny_bundle(registry(), StaircaseCodec(), model=model)
    build_ecker(EckerExportConfig())(bundle, folder / "a.sft")
    if name != "a.sft":
        with safe_open(folder / "a.sft", framework="pt") as file:
            facts = {key: json.loads(value) for key, value in file.metadata().items()}
            module = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        torch.save({"module": module, **facts}, folder / name)
        (folder / "a.sft").unlink()


def read_theirs(name: str, folder: Path) -> None:
    load(folder / name, registry())


def adapted() -> Valle:
    model = tiny_bundle(registry(), codec()).model
    attach(model, places(model), Terms(2, 6.0))
    return model


def write_lora(folder: Path) -> None:
    save_lora(adapted(), folder / "a.lora.safetensors", {"steps": 3})


PLACE = "model.layers.1.mlp.up_proj"


def write_their_lora(name: str, folder: Path) -> None:
    tensors = {f"{PLACE}.lora_A": torch.ones(2, 32), f"{PLACE}.lora_B": torch.ones(96, 2)}
    config = {"rank": 2, "alpha": 4, "rvq_levels": []}
    if name.endswith(".pth"):
        torch.save(
            {"module": {"sep": torch.ones(2)}, "lora": tensors, "config": config}, folder / name
        )
    else:
        save_file(tensors, folder / name, metadata={"config": json.dumps(config)})


def read_a_lora(name: str, folder: Path) -> None:
    read_lora(folder / name)
    loras = Loras(tiny_bundle(registry(), codec()).model)
    loras.add(folder / name)
    loras.merge()


def write_codec(folder: Path) -> None:
    entries = torch.randn(3, 32, 160, generator=torch.Generator().manual_seed(0))
    quantizer = ResidualQuantizer(entries.half(), torch.zeros(160), torch.ones(160))
    settings = VocoderSettings(width=16, layers=1, expansion=1)
    from attrs import asdict

    state = Vocoder(settings).state_dict()
    content = codec_weights.CodecWeights(AnalysisSettings(), quantizer, asdict(settings), state)
    codec_weights.save(content, folder / "codec.safetensors")


def read_codec(folder: Path) -> None:
    choice = registry().get("codec", "embedded")
    built = choice.build(choice.config(path=folder / "codec.safetensors"))
    built.decode(built.encode(torch.zeros(1, 1, 4000)))


def write_state_dict(folder: Path) -> None:
    torch.save({"state_dict": {"a": torch.ones(2), "b": torch.ones(2)}}, folder / "a.pth")


def read_state_dict(folder: Path) -> None:
    read_tensors(folder / "a.pth")


def write_campp(folder: Path) -> None:
    save_file(CamPlusPlus().state_dict(), folder / "campp.safetensors")


def read_campp(folder: Path) -> None:
    CamppEncoder.load(folder / "campp.safetensors").vector(tone(1.0, 16_000).samples)


# Runs


def write_run(folder: Path) -> None:
    bundle = tiny_bundle(registry(), codec(), codec="staircase")
    optimizer = torch.optim.AdamW(bundle.model.parameters())
    sum(p.sum() for p in bundle.model.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    tensors, values = pack_optimizer(optimizer)
    state = TrainingState({"optimizer": values, "trained": 3}, tensors)
    write_checkpoint(folder / "run", 3, bundle, state)
    with MetricsFile(folder / "run", step=0) as metrics:
        metrics.write({"step": 1, "loss": 2.0})
        metrics.write({"step": 2, "loss": 1.0})


def read_run(folder: Path) -> None:
    with MetricsFile(folder / "run", step=1):
        pass
    checkpoint = find_weights(folder / "run").parent
    state = read_state(checkpoint)
    bundle = load(checkpoint / "weights.safetensors", registry())
    optimizer = torch.optim.AdamW(bundle.model.parameters())
    with resuming_from(checkpoint):
        unpack_optimizer(optimizer, state.tensors, state.facts["optimizer"])


TRAINING = """
model: {backbone: {name: llama, d_model: 16, layers: 1, heads: 2}}
codec: staircase
text: {phonemizer: none}
data: {train: [data], batch_seconds: 4, prompt_seconds: [0.3, 0.6]}
training: {output: run, max_steps: 2, device: cpu}
"""


def write_training_data(folder: Path) -> None:
    write_dataset(folder / "data", codec(), utterances=6)
    (folder / "run.yaml").write_text(TRAINING)


def write_training(folder: Path) -> None:
    """A run after its first step."""
    write_training_data(folder)
    command("train", "run.yaml", "--set", "training.max_steps=1")(folder)
    assert (folder / "run" / "latest").exists()


# Datasets


def write_folder(folder: Path) -> None:
    data = write_dataset(folder / "data", codec(), utterances=6)
    write_similar(data, {"ann-0": [("ann-2", 0.5)]})
    (data / "skipped.jsonl").write_text('{"path": "a.wav", "reason": "silent"}\n')


def write_hdf5(folder: Path) -> None:
    source = Dataset(write_dataset(folder / "source", codec(), utterances=6))
    Hdf5Store().write(folder / "data.hdf5", source.info, items_of(source))
    write_similar(folder / "data.hdf5", {"ann-0": [("ann-2", 0.5)]})
    for path in (folder / "source").iterdir():
        path.unlink()
    (folder / "source").rmdir()


def write_shards(folder: Path) -> None:
    source = Dataset(write_dataset(folder / "source", codec(), utterances=6))
    WebDatasetStore(4000).write(folder / "data", source.info, items_of(source))
    for path in (folder / "source").iterdir():
        path.unlink()
    (folder / "source").rmdir()


def read_dataset(name: str, folder: Path) -> None:
    each(
        (
            *(partial(use_dataset, folder / name, kind) for kind in ("error", "skip")),
            lambda: read_similar(folder / name),
            *(partial(use_shard, shard) for shard in sorted(folder.glob("data/shard-*"))),
        )
    )


def use_dataset(path: Path, bad_items: BadItems) -> None:
    info = Info("encodec-24k", 75.0, 24_000, 2, 1024, "none")
    stored = open_stored(path, registry(), assumed=info, bad_items=bad_items)
    entries = list(stored.entries)
    each(
        (
            *(partial(stored.codes, entry) for entry in entries),
            *(partial(stored.codes, entry, 1, 3) for entry in entries),
            partial(use_corpus, stored),
        )
    )


def use_corpus(stored: Stored) -> None:
    make_corpus([stored], Vocabulary.of(ALPHABET), ("en-us",), seconds=(0.0, 60.0))
    assert list(items_of(stored))


def use_shard(path: Path) -> None:
    with path.open("rb") as file:
        list(read_shard(file, name=path.name))


def read_large_manifest(folder: Path) -> None:
    entries = Entries(folder / "data", small=0)
    assert len(list(entries)) == len(entries)
    for place in range(len(entries)):
        assert entries[place].frames >= 0


def read_resumed(folder: Path) -> None:
    open_unfinished(folder / "data", Info(codec().identity, 50.0, 8000, 3, 8, "none"))


def read_skipped(folder: Path) -> None:
    write_skipped(folder / "data" / "skipped.jsonl", [], [])


def write_ecker_folder(folder: Path) -> None:
    (folder / "data" / "group" / "ann").mkdir(parents=True)
    for name in ("a", "b"):
        write_ecker_codes(".enc", folder / "data" / "group" / "ann")
        (folder / "data/group/ann/a.enc").rename(folder / f"data/group/ann/{name}x.enc")
    table = folder / "metadata" / "group"
    table.mkdir(parents=True)
    facts = {"text": "hello", "phonemes": ["h", "i"], "language": "en", "duration": 1.0}
    (table / "ann.json").write_text(json.dumps({"ax": facts, "bx": facts}))


def write_ecker_hdf5(folder: Path) -> None:
    import h5py

    with h5py.File(folder / "data.h5", "w") as file:
        file.attrs["symmap"] = json.dumps({"a": 1, "b": 2})
        for name in ("one", "two"):
            found = file.create_group(f"training/group/ann/{name}")
            found["audio"] = np.ones((75, 2), np.int16)
            found["text"] = np.array([1, 2])
            found.attrs["language"], found.attrs["duration"] = "en", 1.0


# Recordings with transcripts


def write_table(name: str, folder: Path) -> None:
    for stem in ("a", "b"):
        tone().write(folder / f"{stem}.wav")
    rows = [
        {"path": f"{stem}.wav", "text": "Hello, you.", "speaker": "ann", "language": "en-us"}
        for stem in ("a", "b")
    ]
    suffix = Path(name).suffix
    if suffix == ".json":
        text = json.dumps(rows)
    elif suffix == ".jsonl":
        text = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        comma = {".tsv": "\t", ".csv": ","}[suffix]
        cells = [list(rows[0]), *([f'"{v}"' if "," in v else v for v in r.values()] for r in rows)]
        text = "".join(comma.join(line) + "\n" for line in cells)
    (folder / name).write_text(text)


def write_heard(folder: Path) -> None:
    tone().write(folder / "a.wav")
    word = {"word": "hello", "start": 0.1, "end": 0.2}
    segment = {"start": 0.1, "end": 0.3, "text": "hello", "speaker": "x", "words": [word]}
    row = {"segments": [segment], "language": "en", "text": "hello", "start": 0.1, "end": 0.3}
    (folder / "heard.json").write_text(json.dumps({"a.wav": row}))
    (folder / "heard.json.part.jsonl").write_text(json.dumps(["a.wav", row]) + "\n")


def write_texts(folder: Path) -> None:
    for stem in ("a", "b"):
        tone().write(folder / f"{stem}.wav")
        (folder / f"{stem}.txt").write_text("Hello you.")


def write_bars(folder: Path) -> None:
    (folder / "wavs").mkdir()
    tone().write(folder / "wavs" / "a.wav")
    (folder / "metadata.csv").write_text("a|Hello 1.|Hello one.\na|Hello 1.|Hello one.\n")


def write_common_voice(folder: Path) -> None:
    (folder / "clips").mkdir()
    tone().write(folder / "clips" / "a.wav")
    (folder / "validated.tsv").write_text(
        "client_id\tpath\tsentence\tlocale\nx\ta.wav\tHello.\ten\n"
    )


def write_emilia(folder: Path) -> None:
    tone(rate=16_000).write(folder / "a.mp3")
    facts = {"id": "a", "text": "hello", "speaker": "ann", "language": "en"}
    (folder / "a.json").write_text(json.dumps(facts))


def read_recordings(folder: Path) -> None:
    found = [recording for slices in SLICES for recording in find_recordings(folder, slices=slices)]
    usable = [one for one in found if not one.problem]
    each(partial(read_part, one.path, one.start, one.end) for one in usable)


SLICES: tuple[Mode, ...] = ("auto", "always")


# Lists and texts


def write_list(folder: Path) -> None:
    tone().write(folder / "a.wav")
    (folder / "list.tsv").write_text("path\ttext\tspeaker\treference\na.wav\thello\tann\ta.wav\n")


def write_lines(folder: Path) -> None:
    (folder / "texts.txt").write_text("Hello.\nHow are you?\n")


def write_text(folder: Path) -> None:
    (folder / "text.txt").write_text("Hello, café. How are you?\nFine, I think (so).\n")


def speak(folder: Path) -> None:
    """The text as an argument and on stdin, as a shell hands them over."""
    content = (folder / "text.txt").read_bytes()
    argument = content.replace(b"\0", b"").decode(errors="surrogateescape")
    tail = ["-o", "out.wav", "--voice", "none", "--provenance", "--json"]
    words = ["synth", "-m", str(model() / "a.safetensors"), *tail]
    command(*words, "--", argument[:300])(folder)
    command(*words, "-", given=content[:300])(folder)


def write_batch(folder: Path) -> None:
    line = {"text": "Hello.", "output": "a.wav", "voice": "ann", "seed": 3, "speed": 1.0}
    (folder / "jobs.jsonl").write_text(f"{json.dumps(line)}\n{json.dumps({'text': 'you'})}\n")


def write_lexicon(folder: Path) -> None:
    (folder / "words.tsv").write_text("Nguyen\tŋwiən\nhello\thəloʊ\n", encoding="utf-8")


def read_lexicon(folder: Path) -> None:
    list(Lexicon.read(folder / "words.tsv").find("hello Nguyen"))


def write_pieces(folder: Path) -> None:
    vocabulary = {"<unk>": 0, "h": 1, "i": 2, "hi": 3}
    model = {"type": "BPE", "vocab": vocabulary, "merges": ["h i"], "unk_token": "<unk>"}
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": model}))


def read_tokenizer(folder: Path) -> None:
    found = read_pieces(folder / "tokenizer.json")
    assert found.symbols is not None
    found("hi there")


def write_yaml(folder: Path) -> None:
    (folder / "run.yaml").write_text(
        "model:\n  backbone: {name: llama, d_model: 32, layers: 2, heads: 2}\n  dropout: 0.1\n"
        "text:\n  phonemizer: none\n  languages: [en-us]\ncodec: staircase\n"
        "data:\n  train: [data]\n  batch_seconds: 8\ntraining:\n  max_steps: 6\n  output: run\n"
        "synthesis:\n  max_seconds: 3\n"
    )


def write_included(folder: Path) -> None:
    write_yaml(folder)
    (folder / "run.yaml").rename(folder / "base.yaml")
    (folder / "run.yaml").write_text("include: base.yaml\nsynthesis:\n  max_seconds: 4\n")


def read_yaml(folder: Path) -> None:
    load_config(folder / "run.yaml", registry())


@cache
def model() -> Path:
    """A folder with weights that are not damaged; its last user deletes it."""
    folder = TemporaryDirectory(prefix="fuzz-model-")
    write_weights(Path(folder.name))
    KEPT.append(folder)
    return Path(folder.name)


KEPT: list[TemporaryDirectory[str]] = []


def with_model(*words: str) -> Callable[[Path], None]:
    """Speaks with a small model that is not damaged."""

    def run(folder: Path) -> None:
        text = () if "--batch" in words else ("Hello.",)
        output = "." if "--batch" in words else "out.wav"
        weights = str(model() / "a.safetensors")
        command("synth", *text, "-m", weights, "-o", output, *words)(folder)

    return run


READERS = [
    *AUDIO,
    Reader("codes", write_codes, read_codes),
    Reader("codes.blocks", write_block_codes, read_codes),
    Reader("codes.enc", partial(write_ecker_codes, ".enc"), partial(read_ecker_codes, ".enc")),
    Reader("codes.dac", partial(write_ecker_codes, ".dac"), partial(read_ecker_codes, ".dac")),
    Reader("codes.info", write_codes, command("codec", "info", "a.codes.safetensors", "--json")),
    Reader(
        "codes.decode",
        write_codes,
        command("codec", "decode", "a.codes.safetensors", "-o", "b.wav", "--codec", "staircase"),
    ),
    Reader(
        "codes.cut",
        write_codes,
        command(
            "codec",
            "cut",
            "a.codes.safetensors",
            "-o",
            "b.codes.safetensors",
            "--start",
            "0.1",
            "--end",
            "0.2",
        ),
    ),
    Reader("voice", write_voice, read_voice),
    Reader("voice.synth", write_voice, with_model("--voice", "a.voice.safetensors")),
    Reader(
        "audio.voice",
        lambda folder: tone(1.2).write(folder / "a.wav"),
        with_model("--voice", "a.wav"),
    ),
    Reader("lora.synth", write_lora, with_model("--voice", "none", "--lora", "a.lora.safetensors")),
    Reader("batch.synth", write_batch, with_model("--voice", "none", "--batch", "jobs.jsonl")),
    Reader("campp", write_campp, read_campp),
    Reader("run.compare", write_run, command("runs", "compare", "run", "run", "--json")),
    Reader("run.list", write_run, command("runs", "list", ".")),
    Reader("run.plot", write_run, command("plot", "run", "--y", "loss", "--log", "both")),
    Reader("weights.pt", write_torch_weights, lambda folder: load(folder / "a.pt", registry())),
    Reader("yaml.include", write_included, read_yaml),
    Reader("run.resume", write_training, command("train", "run.yaml", "--resume")),
    Reader("data.train", write_training_data, command("train", "run.yaml")),
    Reader("data.similar", write_folder, command("data", "similar", "data", "--by", "text")),
    Reader("data.convert", write_hdf5, command("data", "convert", "data.hdf5", "out")),
    Reader("eval", write_list, command("eval", "list.tsv", "--judge", "signal")),
    Reader(
        "weights.convert",
        partial(write_theirs, "a.sft"),
        command("models", "convert", "a.sft", "-o", "b.safetensors"),
    ),
    Reader(
        "codes.join",
        write_codes,
        command(
            "codec",
            "join",
            "a.codes.safetensors",
            "a.codes.safetensors",
            "-o",
            "b.codes.safetensors",
        ),
    ),
    Reader("voices", write_voices, read_voices),
    Reader("voices.list", write_voices, command("voices", "list", "--json")),
    Reader("weights", write_weights, read_weights),
    Reader("weights.metadata", write_weights, read_weights_metadata),
    Reader(
        "weights.synth",
        write_weights,
        command(
            "synth",
            "Hello.",
            "-o",
            "out.wav",
            "-m",
            "a.safetensors",
            "--voice",
            "none",
        ),
    ),
    Reader("weights.sft", partial(write_theirs, "a.sft"), partial(read_theirs, "a.sft")),
    Reader("weights.pth", partial(write_theirs, "a.pth"), partial(read_theirs, "a.pth")),
    Reader("lora", write_lora, partial(read_a_lora, "a.lora.safetensors")),
    Reader(
        "lora.sft",
        partial(write_their_lora, "a.lora.sft"),
        partial(read_a_lora, "a.lora.sft"),
    ),
    Reader("lora.pth", partial(write_their_lora, "a.pth"), partial(read_a_lora, "a.pth")),
    Reader("codec", write_codec, read_codec),
    Reader("state_dict", write_state_dict, read_state_dict),
    Reader("run", write_run, read_run),
    Reader("run.export", write_run, command("export", "run", "-o", "out.safetensors")),
    Reader("data.folder", write_folder, partial(read_dataset, "data")),
    Reader("data.large", write_folder, read_large_manifest),
    Reader("data.resumed", write_folder, read_resumed),
    Reader("data.skipped", write_folder, read_skipped),
    Reader("data.hdf5", write_hdf5, partial(read_dataset, "data.hdf5")),
    Reader("data.shards", write_shards, partial(read_dataset, "data")),
    Reader("data.ecker", write_ecker_folder, partial(read_dataset, "data")),
    Reader("data.ecker.h5", write_ecker_hdf5, partial(read_dataset, "data.h5")),
    Reader("data.validate", write_folder, command("data", "validate", "data")),
    Reader("data.stats", write_hdf5, command("data", "stats", "data.hdf5", "--json")),
    Reader("data.metadata", write_folder, command("data", "metadata", "data", "-o", "out")),
    *(
        Reader(f"table{suffix}", partial(write_table, f"transcripts{suffix}"), read_recordings)
        for suffix in (".tsv", ".csv", ".json", ".jsonl")
    ),
    Reader("table.bars", write_bars, read_recordings),
    Reader("table.common_voice", write_common_voice, read_recordings),
    Reader("table.emilia", write_emilia, read_recordings),
    Reader("table.heard", write_heard, read_recordings),
    Reader("table.texts", write_texts, read_recordings),
    Reader(
        "table.process",
        partial(write_table, "transcripts.jsonl"),
        command(
            "data",
            "process",
            ".",
            "-o",
            "out",
            "--set",
            "codec=staircase",
            "--set",
            "text.phonemizer=none",
        ),
    ),
    Reader("table.stats", partial(write_table, "transcripts.json"), command("data", "stats", ".")),
    Reader(
        "heard.journal",
        write_heard,
        command(
            "data",
            "validate",
            ".",
            "--transcripts",
            "heard.json",
        ),
    ),
    Reader("eval.list", write_list, lambda folder: read_list(folder / "list.tsv")),
    Reader("eval.texts", write_lines, lambda folder: read_lines(folder / "texts.txt")),
    Reader("text", write_text, speak),
    Reader("batch", write_batch, lambda folder: read_jobs(folder / "jobs.jsonl", folder)),
    Reader("lexicon", write_lexicon, read_lexicon),
    Reader("tokenizer", write_pieces, read_tokenizer),
    Reader("yaml", write_yaml, read_yaml),
    Reader("yaml.check", write_yaml, command("config", "check", "run.yaml")),
]
BY_NAME = {reader.name: reader for reader in READERS}
