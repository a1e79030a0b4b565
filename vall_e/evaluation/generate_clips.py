"""Clips synthesized by a model: every text in every voice, repeatedly if asked, resumable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path

from attrs import frozen

from vall_e.evaluation.clips import EvalClip, Items
from vall_e.evaluation.resynthesis import weights_of
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import ENCODED

BETWEEN_REPEATS = 100_000
"""Offset of seeds from one repeat to the next, so that more texts change no seed."""


@frozen
class ClipRequest:
    """One clip to synthesize."""

    text: str
    voice: str
    """A name, or the path of a recording, as the user gave it."""
    number: int
    """Of the text."""
    repeat: int
    seed: int


@frozen(eq=False)
class EvalSpeaker:
    """A voice, and the recording that clips in it are compared with."""

    name: str
    voice: Voice
    reference: Path | None


def orders(
    texts: Sequence[str], voices: Sequence[str], *, seed: int, repeats: int
) -> list[ClipRequest]:
    """Text i of repeat r has the seed `seed + i + 100,000 r`, in every voice."""
    return [
        ClipRequest(text, voice, number, repeat, seed + number + repeat * BETWEEN_REPEATS)
        for voice in voices
        for repeat in range(repeats)
        for number, text in enumerate(texts)
    ]


def speak(
    synthesizer: Synthesizer,
    wanted: Sequence[ClipRequest],
    folder: Path,
    *,
    on_clip: Callable[[EvalClip], None] = lambda item: None,
) -> Items:
    """Synthesize the clips that `folder` lacks. A clip's name has the hash of all its inputs."""
    speakers = _speakers(synthesizer, dict.fromkeys(order.voice for order in wanted))
    folder.mkdir(parents=True, exist_ok=True)
    settings = _settings(synthesizer)
    items = []
    for order in wanted:
        speaker = speakers[order.voice]
        path = folder / _name(order, speaker, settings)
        if not path.is_file():
            result = synthesizer.synthesize(order.text, voice=speaker.voice, seed=order.seed)
            result.save(path)
        items.append(
            EvalClip(path, order.text, speaker.name, speaker.name, reference=speaker.reference)
        )
        on_clip(items[-1])
    inputs = {"model": settings}
    for speaker in speakers.values():
        inputs[f"voice {speaker.name}"] = {"sha256": _digest(speaker.voice)}
    return Items(tuple(items), inputs)


def _speakers(synthesizer: Synthesizer, names: Iterable[str]) -> dict[str, EvalSpeaker]:
    speakers: dict[str, EvalSpeaker] = {}
    taken: set[str] = set()
    for given in names:
        voice = synthesizer.voice(given)
        path = Path(given).expanduser()
        source = path if path.is_file() else synthesizer.voices.get(given).path
        name = voice.name
        while name in taken:
            name += "'"
        taken.add(name)
        # An encoded voice has no recording to compare with.
        encoded = source.suffix == Path(ENCODED).suffix
        speakers[given] = EvalSpeaker(name, voice, None if encoded else source)
    return speakers


def _settings(synthesizer: Synthesizer) -> dict[str, str]:
    """What a clip depends on besides its text, voice and seed."""
    identity = synthesizer.provenance
    model = identity.get("model", {})
    return {
        "file": str(model.get("file", "")),
        "sha256": str(model.get("sha256", "")),
        "config": str(identity["config"]),
        "codec": synthesizer.codec.identity,
        "codec_sha256": weights_of(synthesizer.codec),
        "task": synthesizer.task.name,
        "device": str(synthesizer.device),
        "vall-e": metadata.version("vall-e"),
        **({"loras": _loras(synthesizer)} if synthesizer.loras else {}),
    }


def _loras(synthesizer: Synthesizer) -> str:
    """Their names, strengths and hashes."""
    return ", ".join(
        f"{one['name']}:{one['strength']:g} ({one['sha256'][:12]})"
        for one in synthesizer.loras.provenance()
    )


def _name(order: ClipRequest, speaker: EvalSpeaker, settings: dict[str, str]) -> str:
    facts = [settings, order.text, _digest(speaker.voice), order.seed]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    safe = "".join(c if c.isalnum() or c in "-_" else "_" for c in speaker.name)
    return f"{safe[:40]}-{order.number:03d}-{order.repeat}-{digest[:16]}.wav"


def _digest(voice: Voice) -> str:
    return hashlib.sha256(voice.codes.values.tobytes()).hexdigest()
