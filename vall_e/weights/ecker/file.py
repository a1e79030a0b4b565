"""Files of e-c-k-e-r/vall-e: safetensors (`.sft`) with its config in the metadata, or `.pth`.

Nothing in them is ever run: a `.pth` that contains more than tensors and plain data is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from attrs import frozen
from safetensors import SafetensorError, safe_open
from torch import Tensor

from vall_e.config.load import structure
from vall_e.damaged_files import damage_as, parse_json
from vall_e.errors import CheckpointError
from vall_e.model.valle import build_valle
from vall_e.registry import Registry
from vall_e.text.imported_vocabulary import adopt, read_tokenizer
from vall_e.text.vocabulary import Vocabulary
from vall_e.weights.contents import Kept, WeightsContents
from vall_e.weights.ecker.config import Sums, describe
from vall_e.weights.ecker.tensors import translate
from vall_e.weights.metadata import reading_weights
from vall_e.weights.safe_torch_pickle import PICKLED, plain_facts, read_pickle

CODEC_IDENTITIES = {"encodec": "encodec-24k", "dac": "dac-44k"}
"""The weights of the codec are not named in the file."""

log = logging.getLogger(__name__)


@frozen
class Reading:
    """Facts that users may know better than the file."""

    config: Path | None = None
    """YAML or JSON; None: the config in the file, or else one next to it."""
    tokenizer: Path | None = None
    """`tokenizer.json`; None: one next to the file, or else the one in the file."""
    sums: Sums = "auto"


def is_ecker(path: Path) -> bool:
    """Whether the file looks like one of e-c-k-e-r. A file that cannot be opened does not."""
    if path.suffix in PICKLED:
        return path.is_file()
    try:
        with safe_open(path, framework="pt") as file:
            return "format" not in (file.metadata() or {}) and "sep" in file.keys()  # noqa: SIM118
    except (SafetensorError, OSError, ValueError):
        return False


def read_ecker(path: Path, registry: Registry, reading: Reading | None = None) -> WeightsContents:
    """The model in the file under our names, and the rest of the file.

    Raises `CheckpointError` for a config that requires what we lack, and for tensors that are
    missing, unknown or of another shape, with all their names.
    """
    with reading_weights(path):
        return _contents(path, registry, reading or Reading())


def _contents(path: Path, registry: Registry, reading: Reading) -> WeightsContents:
    facts, state = _pickled(path) if path.suffix in PICKLED else _safetensors(path)
    theirs = _config(path, facts, reading)
    described = describe(theirs, state, sums=reading.sums)
    if described.unknown:
        log.warning("%s: unknown config fields: %s", path.name, ", ".join(described.unknown))
    if described.unused:
        log.warning("%s: capabilities not used: %s", path.name, ", ".join(described.unused))
    config = structure(described.raw, registry, source=f"the model in {path}")
    with torch.device("meta"):
        wanted = build_valle(config.model, described.sizes).state_dict()
    found = translate(state, wanted, config.model.capabilities)
    return WeightsContents(
        config,
        described.sizes,
        found.tensors,
        _vocabulary(path, facts, reading, described.sizes.vocabulary),
        CODEC_IDENTITIES[described.raw["codec"]["name"]],
        {key: value for key, value in _mapping(facts, "stats").items() if _is_number(value)},
        Kept({**facts, "config": theirs}, found.kept, found.layout),
    )


def _safetensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        metadata = {key: _plain(text) for key, text in (file.metadata() or {}).items()}
        return metadata, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _plain(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        return text


def _pickled(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    content = read_pickle(path)
    module = content.pop("module", None)
    if not isinstance(module, dict) or not all(isinstance(t, Tensor) for t in module.values()):
        raise CheckpointError(
            f"{path} has no tensors under 'module', as e-c-k-e-r/vall-e's files have",
            hint="use a file written by e-c-k-e-r/vall-e's own export; give a LoRA as `loras=`",
        )
    if content.pop("lora", None):
        log.warning("%s: the LoRA next to the model is not used: give the file with --lora", path)
    return plain_facts(content, path), module


def _config(path: Path, facts: Mapping[str, Any], reading: Reading) -> Mapping[str, Any]:
    if reading.config:
        return _model_section(_document(reading.config), reading.config)
    if isinstance(facts.get("config"), dict):
        return _mapping(facts, "config")
    names = [f"{stem}{suffix}" for stem in (path.stem, "config") for suffix in (".yaml", ".json")]
    beside = [path.with_name(name) for name in names if path.with_name(name).is_file()]
    if not beside:
        raise CheckpointError(
            f"{path} has no config, and there is none next to it ({', '.join(names)})",
            hint="put its YAML file from training there, or give it with "
            "vall-e models convert --config FILE",
        )
    return _model_section(_document(beside[0]), beside[0])


def _model_section(document: Any, path: Path) -> Mapping[str, Any]:
    """The model in a training config; otherwise the document itself."""
    models = document.get("models") if isinstance(document, dict) else None
    if isinstance(models, list):
        trained = [model for model in models if model.get("training", True)] or models
        document = trained[0] if trained else None
    if not isinstance(document, dict):
        raise CheckpointError(f"{path} describes no model", hint="give the config it came with")
    return document


def _document(path: Path) -> Any:
    with damage_as(CheckpointError, path, what="cannot be read", hint="check the file"):
        text = path.read_text(encoding="utf-8")
        return parse_json(text) if path.suffix == ".json" else yaml.safe_load(text)


def _vocabulary(path: Path, facts: Mapping[str, Any], reading: Reading, size: int) -> Vocabulary:
    beside = path.with_name("tokenizer.json")
    file = reading.tokenizer or (beside if beside.is_file() else None)
    if file:
        content = _document(file)
        return read_tokenizer(content if isinstance(content, dict) else {}, size)
    userdata = _mapping(facts, "userdata")
    symbols = userdata.get("symmap")
    if not isinstance(symbols, dict):
        raise CheckpointError(
            f"{path} does not define the text tokens",
            hint="put the tokenizer.json of the model's release next to it, or give it with "
            "vall-e models convert --tokenizer FILE",
        )
    merges = userdata.get("merges")
    return adopt(symbols, size, merges=None if merges is None else [(a, b) for a, b in merges])


def _mapping(facts: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = facts.get(key)
    return value if isinstance(value, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
