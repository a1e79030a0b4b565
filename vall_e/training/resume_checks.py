"""What must not change between weights and the run that continues or starts from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vall_e.config.load import unstructure, without_folders
from vall_e.config.schema import RunConfig
from vall_e.data.dataset.manifest import Info
from vall_e.errors import CheckpointError
from vall_e.weights.contents import as_told
from vall_e.weights.metadata import read_facts

FREE = {"attention", "dropout", "checkpointing"}
"""Options that change how the model is computed or trained, but not the meaning of weights."""


def require_same(weights: Path, config: RunConfig, info: Info) -> None:
    """Raise `CheckpointError` if a run's own weights have another meaning under this config."""
    saved = _saved(weights)
    before, now = saved["config"], _plain(config)
    _require_codes(weights.parent, saved, info, hint="train on this data in another output folder")
    fixed = ("name", *config.training.optimizer.component.fixed)
    optimizers = (_only(raw["training"]["optimizer"], fixed) for raw in (before, now))
    changed = [
        *_meaning(before, now),
        *_changed("tasks", before["tasks"], now["tasks"]),
        *_changed("training.optimizer", *optimizers),
        *_changed("training.wrappers.lora", _lora(before), _lora(now)),
        *_changed("training.frozen", *(raw["training"].get("frozen", []) for raw in (before, now))),
    ]
    if changed:
        raise CheckpointError(
            f"{weights.parent} was trained with different options: {', '.join(changed)}",
            hint="set them back to resume, or choose another training.output",
        )


def require_fit(weights: Path, config: RunConfig, info: Info) -> None:
    """Raise `CheckpointError` if a new run cannot start from weights of another run.

    Tasks may be added, capabilities dropped, and the optimizer is the run's own.
    """
    saved = _saved(weights)
    before, now = saved["config"], _plain(config)
    if set(now["model"]["capabilities"]) < set(before["model"]["capabilities"]):
        before["model"]["capabilities"] = now["model"]["capabilities"]
    _require_codes(
        weights, saved, info, hint="process the recordings with the codec of the weights"
    )
    known = {task["name"]: task for task in before["tasks"]}
    changed = list(_meaning(before, now))
    for task in now["tasks"]:
        changed += _changed(f"tasks.{task['name']}", known.get(task["name"], task), task)
    if changed:
        raise CheckpointError(
            f"{weights} was trained with different options: {', '.join(changed)}",
            hint="set these options in the YAML file to the values of the weights, "
            "which are named first",
        )


def _only(raw: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: raw[name] for name in names if name in raw}


def _saved(weights: Path) -> dict[str, Any]:
    return read_facts(weights)


def _plain(config: RunConfig) -> dict[str, Any]:
    plain: dict[str, Any] = unstructure(without_folders(config), owners=True)
    return plain


def _require_codes(name: Path, saved: dict[str, Any], info: Info, *, hint: str) -> None:
    sizes = saved["sizes"]
    ours = (saved["codec"], sizes["levels"], sizes["codebook_size"])
    data = (as_told(info.codec, saved["codec"]), info.levels, info.codebook_size)
    if ours != data:
        shape = "{} with {} levels of {}"
        raise CheckpointError(
            f"{name} was trained on codes of {shape.format(*ours)}, "
            f"the data has codes of {shape.format(*data)}",
            hint=hint,
        )


def _meaning(before: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """The options that differ among those that define what tensors and ids mean."""
    yield from _changed("model", before["model"], now["model"])
    texts = (
        {
            "languages": raw["text"]["languages"],
            "phonemizer": raw["text"]["phonemizer"]["name"],
            "tokenizer": raw["text"].get("tokenizer", "characters"),
        }
        for raw in (before, now)
    )
    yield from _changed("text", *texts)


def _lora(raw: dict[str, Any]) -> Any:
    """The LoRA wrapper whose tensors are among the weights; None if there is none."""
    return next((w for w in raw["training"]["wrappers"] if w["name"] == "lora"), None)


def _changed(place: str, before: Any, after: Any) -> Iterator[str]:
    """The options that differ. Options that only one side has belong to another version."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted((before.keys() & after.keys()) - FREE):
            yield from _changed(f"{place}.{key}", before[key], after[key])
    elif before != after:
        yield f"{place} ({_yaml(before)}, not {_yaml(after)})"


def _yaml(value: Any) -> str:
    """The value as written in YAML."""
    return value if isinstance(value, str) else json.dumps(value)
