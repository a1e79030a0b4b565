"""The result of an evaluation: figures, their inputs, and how they were computed."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from vall_e.atomic_write import write_atomically
from vall_e.errors import AudioError, DataError
from vall_e.evaluation.clips import EvalClip, Items
from vall_e.evaluation.judge_panel import Judged, Panel
from vall_e.evaluation.statistics import Summary, summarize
from vall_e.interfaces.judge import Figure

FORMAT = 1
ALL = "all"
"""The name of all clips together; a group may have the same name."""
DIGITS = 4
PACKAGES = ("vall-e", "torch", "numpy", "soundfile", "soxr")
"""Packages that every figure depends on, besides the judges' own."""


@frozen(eq=False)
class EvalReport:
    """The whole report. Everything except `run` is the same if the command is repeated."""

    figures: Mapping[str, Figure]
    judged: Sequence[Judged]
    pooled: Mapping[str, Summary]
    """By figure, over all clips; empty if the groups must not be combined."""
    groups: Mapping[str, Mapping[str, Summary]]
    """By group, then by figure; empty if the only group is all clips."""
    inputs: Mapping[str, Mapping[str, str]]
    weights: Mapping[str, str]
    versions: Mapping[str, str]
    unavailable: Mapping[str, str]
    remarks: Sequence[str]
    seed: int
    run: Mapping[str, Any]
    """Command, machine and time."""

    @classmethod
    def of(
        cls,
        items: Items,
        judged: Sequence[Judged],
        panel: Panel,
        *,
        seed: int,
        run: Mapping[str, Any],
    ) -> EvalReport:
        judges = panel.judges
        _require_one(judged)
        return cls(
            figures=panel.figures,
            judged=judged,
            pooled=_summary(judged, panel.figures, seed, ALL) if items.pooled else {},
            groups=_groups(judged, panel.figures, seed, pooled=items.pooled),
            inputs=items.inputs,
            weights={name: digest for judge in judges for name, digest in judge.weights.items()},
            versions=_versions([name for judge in judges for name in judge.packages]),
            unavailable=panel.unavailable,
            remarks=[*dict.fromkeys(remark for judge in judges for remark in judge.remarks)],
            seed=seed,
            run={**run, "machine": _machine()},
        )

    def to_json(self, folder: Path) -> dict[str, Any]:
        """Plain data; paths are relative to `folder`."""
        return {
            "format": FORMAT,
            "figures": {name: asdict(figure) for name, figure in self.figures.items()},
            "pooled": _plain(self.pooled),
            "groups": {group: _plain(found) for group, found in self.groups.items()},
            "clips": [_clip(judged, folder) for judged in self.judged],
            "remarks": list(self.remarks),
            "unavailable": dict(self.unavailable),
            "failures": self.failures,
            "seed": self.seed,
            "inputs": {name: dict(values) for name, values in self.inputs.items()},
            "weights": dict(self.weights),
            "versions": dict(self.versions),
            "run": dict(self.run),
        }

    @property
    def columns(self) -> list[tuple[str, Mapping[str, Summary]]]:
        """All clips, if they may be combined, then each group; with titles for the reader."""
        groups = [(group or "(none)", found) for group, found in self.groups.items()]
        return [(ALL, self.pooled), *groups] if self.pooled else groups

    @property
    def problems(self) -> list[str]:
        """Why clips could not be read, one reason each."""
        return [one.problem for one in self.judged if one.problem]

    @property
    def failures(self) -> dict[str, str]:
        """By judge: on how many clips it failed, and how on the first."""
        found: dict[str, list[str]] = {}
        for one in self.judged:
            for name, reason in one.failures.items():
                found.setdefault(name, []).append(reason)
        many = len(self.judged)
        return {n: f"failed on {len(why)} of {many} clips: {why[0]}" for n, why in found.items()}

    @property
    def title(self) -> str:
        """What was evaluated: the model with its LoRAs, the codec, or the list."""
        model = self.inputs.get("model", {})
        given = self.run.get("options", {}).get("model") or model.get("file", "")
        codec = self.inputs.get("codec", {}).get("identity", "")
        names = [given, model.get("loras", ""), codec, self.inputs.get("list", {}).get("file", "")]
        return " ".join(["Evaluation of", ", ".join(filter(None, names)) or "clips"])

    def write_json(self, path: Path) -> None:
        text = json.dumps(self.to_json(path.parent), indent=2, ensure_ascii=False)
        write_atomically(path, f"{text}\n".encode(), error=DataError)

    def worst_first(self) -> list[Judged]:
        """By the mean rank over all figures that have a better direction; ties in given order."""
        badness = [0.0] * len(self.judged)
        for name, figure in self.figures.items():
            if figure.better:
                for place, bad in enumerate(_bad(self.judged, name, figure.better)):
                    badness[place] += bad
        order = sorted(range(len(self.judged)), key=lambda place: -badness[place])
        return [self.judged[place] for place in order]


def relative(path: Path, folder: Path) -> str:
    """A path relative to a folder, with slashes; the absolute path if there is none."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # on another drive of Windows
        return path.resolve().as_posix()


def _require_one(judged: Sequence[Judged]) -> None:
    """Raise `AudioError` if none of them could be read."""
    if judged and all(one.problem for one in judged):
        raise AudioError(
            f"none of {len(judged)} clips can be judged; the first: {judged[0].problem}",
            hint="check the files",
        )


def _groups(
    judged: Sequence[Judged], figures: Mapping[str, Figure], seed: int, *, pooled: bool
) -> dict[str, dict[str, Summary]]:
    members: dict[str, list[Judged]] = {}
    for one in judged:
        members.setdefault(one.item.group, []).append(one)
    if len(members) == 1 and pooled:
        return {}
    return {group: _summary(found, figures, seed, group) for group, found in members.items()}


def _summary(
    members: Sequence[Judged], figures: Mapping[str, Figure], seed: int, group: str
) -> dict[str, Summary]:
    units = [_unit(one.item) for one in members]
    return {
        name: summarize(
            [one.scores[name] for one in members], units, seed=seed, name=f"{group} {name}"
        )
        for name in figures
    }


def _plain(found: Mapping[str, Summary]) -> dict[str, Any]:
    return {name: _rounded(asdict(summary)) for name, summary in found.items()}


def _unit(item: EvalClip) -> str:
    """The unit of resampling for an interval: all clips of a text together."""
    return item.text or str(item.original or item.path)


def _bad(judged: Sequence[Judged], name: str, better: str) -> list[float]:
    """From 0, the best clip, to 1, the worst; clips without the figure are in the middle."""
    values = [one.scores[name].value for one in judged]
    known = sorted({value for value in values if value is not None}, reverse=better == "higher")
    places = {value: place / max(1, len(known) - 1) for place, value in enumerate(known)}
    return [0.5 if value is None else places[value] for value in values]


def _clip(judged: Judged, folder: Path) -> dict[str, Any]:
    item, scores = judged.item, judged.scores
    files = {"path": item.path, "reference": item.reference, "original": item.original}
    return {
        **{name: relative(path, folder) for name, path in files.items() if path},
        "text": item.text,
        "speaker": item.speaker,
        "group": item.group,
        "scores": {name: _rounded(score.value) for name, score in scores.items()},
        "reasons": {name: score.reason for name, score in scores.items() if score.reason},
        "notes": dict(judged.notes),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, Mapping):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, tuple) else value


def _versions(more: Sequence[str]) -> dict[str, str]:
    """Versions of those packages that are installed as distributions."""
    found = {"python": platform.python_version()}
    for name in dict.fromkeys([*PACKAGES, *more]):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _machine() -> dict[str, str]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": platform.processor() or platform.machine(),
        "cores": str(os.cpu_count() or 1),
    }
