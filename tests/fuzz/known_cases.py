"""Damage that ended a command with a traceback, or made it hang: the first inputs of `fuzz`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from damage import HEAD
from safetensors import safe_open
from safetensors.numpy import save_file

DEEP = "[" * 100_000
Damage = Callable[[Path], None]


@frozen
class Case:
    kind: str
    """The name of the reader in `readers`."""
    name: str
    damage: Damage
    """Of the folder that the reader wrote."""
    says: str = ""
    """A part of the message; empty: it can be read."""


def content(file: str, data: bytes | str) -> Damage:
    """Replace the content of a file."""
    return lambda folder: _write(folder / file, data.encode() if isinstance(data, str) else data)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def cut(file: str, end: int) -> Damage:
    return lambda folder: _write(folder / file, (folder / file).read_bytes()[:end])


def added(file: str, data: bytes) -> Damage:
    return lambda folder: _write(folder / file, (folder / file).read_bytes() + data)


def facts(file: str, **changes: str) -> Damage:
    """Change the metadata of a safetensors file."""

    def damage(folder: Path) -> None:
        data = (folder / file).read_bytes()
        (size,) = HEAD.unpack_from(data)
        header = json.loads(data[8 : 8 + size])
        header["__metadata__"].pop("sha256", None)
        header["__metadata__"] |= changes
        text = json.dumps(header).encode()
        _write(folder / file, HEAD.pack(len(text)) + text + data[8 + size :])

    return damage


def inner(file: str, key: str, **changes: Any) -> Damage:
    """Change values of the JSON in one value of the metadata."""

    def damage(folder: Path) -> None:
        with safe_open(folder / file, framework="numpy") as opened:
            value = json.loads(opened.metadata()[key])
        facts(file, **{key: json.dumps(value | changes)})(folder)

    return damage


def backbone(file: str, **changes: Any) -> Damage:
    """Change options of the backbone in the config of weights."""

    def damage(folder: Path) -> None:
        with safe_open(folder / file, framework="numpy") as opened:
            config = json.loads(opened.metadata()["config"])
        config["model"]["backbone"] |= changes
        facts(file, config=json.dumps(config))(folder)

    return damage


def whole_numbers(file: str) -> Damage:
    """Make integers of all tensors."""

    def damage(folder: Path) -> None:
        with safe_open(folder / file, framework="numpy") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            metadata = opened.metadata()
        changed = {name: tensor.astype(np.int32) for name, tensor in tensors.items()}
        save_file(changed, folder / file, metadata=metadata)

    return damage


def large_codes(file: str) -> Damage:
    """As if the codec had more entries than it has."""

    def damage(folder: Path) -> None:
        with safe_open(folder / file, framework="numpy") as opened:
            codes, metadata = opened.get_tensor("codes"), opened.metadata()
        metadata.pop("sha256")
        save_file({"codes": codes + np.int16(5000)}, folder / file, metadata=metadata)

    return damage


def in_json(file: str, **changes: Any) -> Damage:
    """Change values in the JSON object of a file, or in each line of one."""

    def damage(folder: Path) -> None:
        lines = (folder / file).read_text().splitlines() if file.endswith("jsonl") else None
        texts = [(folder / file).read_text()] if lines is None else lines
        changed = [json.dumps(json.loads(text) | changes) for text in texts]
        _write(folder / file, "".join(f"{text}\n" for text in changed).encode())

    return damage


def in_hdf5(change: Callable[[Any], None]) -> Damage:
    def damage(folder: Path) -> None:
        import h5py

        [path] = folder.glob("data.h*5")
        with h5py.File(path, "r+") as file:
            change(file)

    return damage


def _without_places(file: Any) -> None:
    del file["places"]


def _scalar_manifest(file: Any) -> None:
    del file["manifest"]
    file["manifest"] = 3


def _broken_line(file: Any) -> None:
    file["manifest"][0] = b"\xff{"


def _infinite_rate(file: Any) -> None:
    found = json.loads(file.attrs["info"]) | {"frame_rate": float("inf")}
    file.attrs["info"] = json.dumps(found)


def _no_frames(file: Any) -> None:
    del file["training/group/ann/one/audio"]
    file["training/group/ann/one/audio"] = np.ones((0, 2), np.int16)


CODES, WEIGHTS, LORA = "a.codes.safetensors", "a.safetensors", "a.lora.safetensors"
VOICE, TABLE = "a.voice.safetensors", "transcripts.json"
HUGE = 10**400
CASES = [
    Case("audio.gsm", "a format without random access", lambda folder: None),
    Case("audio.nms", "a format without random access", lambda folder: None),
    Case("audio.wav", "an odd length", cut("a.wav", -1)),
    Case("audio.wav", "a byte too many", added("a.wav", b"x")),
    Case("audio.wav", "only a header", cut("a.wav", 44), "a.wav is cut off"),
    Case("audio.mp3", "noise", content("a.mp3", b"\xff\xfb" * 999), "a.mp3 is not readable audio"),
    *(
        Case("codes", f"frame_rate {rate}", facts(CODES, frame_rate=rate), f"{CODES} is damaged")
        for rate in ("Infinity", "inf", "nan", "0", "-1", "1e300", "null")
    ),
    Case("codes", "deep JSON", facts(CODES, **{"vall_e.codes": DEEP}), f"{CODES} is damaged"),
    Case("codes", "an odd length", cut(CODES, -1), f"{CODES} is damaged"),
    Case("codes.info", "an infinite rate", facts(CODES, frame_rate="inf")),
    Case("codes.enc", "an odd length", cut("a.enc", -1), "a.enc is not a valid file of arrays"),
    Case("codes.dac", "an empty file", content("a.dac", b""), "a.dac is not a valid file of"),
    Case("voice", "format", facts(VOICE, **{"vall_e.voice": '"x"'}), f"{VOICE} is damaged"),
    Case("voice", "an infinite rate", facts(VOICE, frame_rate="inf"), f"{VOICE} is damaged"),
    *(
        Case("voices", f"content {number}", content("home/voices/ann.json", text), "ann.json does")
        for number, text in enumerate(
            ("null", "{", DEEP, b"\xff", '{"name": null}', '{"name": "ann", "path": null}')
        )
    ),
    Case("voice.synth", "codes of no entry", large_codes("a.voice.safetensors")),
    Case("voices.list", "null", content("home/voices/ann.json", "null")),
    Case("weights", "sizes: null", facts(WEIGHTS, sizes="null"), "has no readable 'sizes'"),
    Case("weights", 'format: ""', facts(WEIGHTS, format='""'), "has no readable 'format'"),
    Case("weights", "levels: 1e20", inner(WEIGHTS, "sizes", levels=1e20), "'levels' must be"),
    Case("weights", "levels: 10**12", inner(WEIGHTS, "sizes", levels=10**12), "levels is 10000"),
    Case("weights", "layers", backbone(WEIGHTS, layers=2**31), "layers is 2147483648"),
    Case("weights", "width", backbone(WEIGHTS, d_model=2**40), "d_model is 1099511627776"),
    Case("weights", "many symbols", inner(WEIGHTS, "sizes", vocabulary=10**9), "vocabulary is"),
    Case("weights", "integers", whole_numbers(WEIGHTS), "has numbers of the type torch.int32"),
    Case("weights", "deep JSON", facts(WEIGHTS, vocabulary=DEEP), "nested too deeply"),
    Case("weights.metadata", "no JSON", facts(WEIGHTS, config="{"), "has no readable 'config'"),
    Case("lora", "null", facts(LORA, lora="null"), f"{LORA} is damaged"),
    Case("lora", "a huge rank", inner(LORA, "lora", rank=2**40), f"{LORA} is damaged"),
    Case("lora", "alpha nan", inner(LORA, "lora", alpha=float("nan")), "alpha is nan"),
    Case("lora.pth", "no pickle", content("a.pth", b"\x80\x85abc"), "a.pth is damaged"),
    Case("codec", "null", facts("codec.safetensors", vocoder="null"), "codec.safetensors is not"),
    Case("codec", "integers", whole_numbers("codec.safetensors")),
    Case("state_dict", "no pickle", content("a.pth", b"\x80\x02\x8c\x80"), "a.pth has no readable"),
    Case("run", "latest", content("run/latest", b"\xff\xfe"), "latest does not name a checkpoint"),
    Case("run", "latest with NUL", content("run/latest", b"a\0b"), "latest names"),
    Case("run", "no facts", content("run/step-000003/training.json", "[]"), "cannot be resumed"),
    Case("run", "metrics", content("run/metrics.jsonl", b'\xff{"step": 1}\n[1]\nnull\n')),
    Case("run.list", "metrics", content("run/metrics.jsonl", b'\xff{}\n{"step": []}\n{"step": 1}')),
    Case("run.plot", "texts", content("run/metrics.jsonl", '{"step": 1, "loss": "x"}\n')),
    Case("run", "a large step", content("run/metrics.jsonl", f'{{"step": {HUGE}}}\n')),
    Case("data.folder", "null", content("data/dataset.json", "null"), "dataset.json is not of"),
    Case("data.folder", "deep", content("data/dataset.json", DEEP), "nested too deeply"),
    Case("data.folder", "frames", in_json("data/manifest.jsonl", frames="3"), "manifest.jsonl is"),
    Case("data.folder", "phonemes", in_json("data/manifest.jsonl", phonemes=[]), "manifest.jsonl"),
    Case("data.folder", "an odd length", added("data/codes.i16", b"x")),
    Case("data.folder", "similar", content("data/similar.jsonl", "null"), "similar.jsonl is"),
    Case("data.large", "offset", in_json("data/manifest.jsonl", offset=2**70), "manifest.jsonl is"),
    Case("data.resumed", "offset", in_json("data/manifest.jsonl", offset=None), "manifest.jsonl"),
    Case("data.hdf5", "no places", in_hdf5(_without_places), "data.hdf5 is a damaged HDF5 file"),
    Case("data.hdf5", "a scalar", in_hdf5(_scalar_manifest), "data.hdf5 is a damaged HDF5 file"),
    Case("data.hdf5", "a line", in_hdf5(_broken_line), "data.hdf5 is damaged"),
    Case("data.hdf5", "an infinite rate", in_hdf5(_infinite_rate), "frame_rate is inf"),
    Case(
        "data.shards", "places", content("data/places.npy", b"\x93NUMPY"), "places.npy is damaged"
    ),
    Case("data.ecker.h5", "no frames", in_hdf5(_no_frames)),
    Case("data.ecker", "deep JSON", content("metadata/group/ann.json", DEEP), "nested too deeply"),
    *(
        Case("table.json", f"path {ascii(path)[:12]}", content(TABLE, json.dumps([row])), says)
        for path, says in (
            ("a\0b.wav", ""),
            ("a\ud800.wav", f"{TABLE} cannot be read"),
            ("x" * 5000, ""),
        )
        for row in [{"path": path, "text": "hello"}]
    ),
    Case("table.json", "deep JSON", content(TABLE, DEEP), f"{TABLE} cannot be read"),
    Case(
        "table.process",
        "half a character",
        content("transcripts.jsonl", '{"path": "a.wav", "text": "\\ud800"}\n'),
    ),
    Case("table.csv", "NUL", content("transcripts.csv", b"path,text\na\0.wav,hello\n")),
    Case("table.texts", "not UTF-8", content("a.txt", b"\xff\xfe")),
    Case("table.heard", "null", content("heard.json", '{"a.wav": null}'), "heard.json is not a"),
    Case("eval.list", "a path", content("list.tsv", f"path\n{'x' * 5000}\n"), "list.tsv names 1"),
    Case("eval.list", "a carriage return", content("list.tsv", "path\na\rb.wav\n"), "list.tsv"),
    Case("batch", "deep JSON", content("jobs.jsonl", DEEP), "nested too deeply"),
    Case("batch", "half a character", content("jobs.jsonl", '{"text": "\\ud800"}'), "jobs.jsonl"),
    Case("batch", "not UTF-8", content("jobs.jsonl", b"\xff"), "jobs.jsonl cannot be read"),
    Case("text", "not UTF-8", content("text.txt", b"caf\xe9")),
    Case("text", "NUL", content("text.txt", b"a\0b")),
    Case("lexicon", "not UTF-8", content("words.tsv", b"\xff\t\xff"), "words.tsv cannot be read"),
    Case("tokenizer", "null", content("tokenizer.json", '{"model": null}'), "is no tokenizer.json"),
    Case("tokenizer", "no model", content("tokenizer.json", '{"model": {}}'), "is no tokenizer"),
    Case("yaml", "brackets", content("run.yaml", "a: " + "[" * 3000), "nested more than"),
    Case("yaml", "digits", content("run.yaml", "training: {max_steps: " + "9" * 400 + "}"), "400"),
    Case("yaml", "not UTF-8", content("run.yaml", b"\xff"), "run.yaml is not UTF-8"),
]


def cases_of(kind: str) -> list[Case]:
    return [case for case in CASES if case.kind == kind]
