"""Invented speakers for free speech engines, and how their voices are generated at random."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import NOTHING, Attribute, asdict, frozen

Engine = Literal["espeak", "flite", "festival", "hibari"]
Gender = Literal["female", "male"]

ACCENTS = {
    "en": (
        *("en-us",) * 5,
        *("en-gb",) * 3,
        *("en-gb-x-rp", "en-gb-scotland", "en-029", "en-us-nyc"),
        *("en-gb-x-gbclan", "en-gb-x-gbcwmd"),
    ),
    "de": ("de",),
    "fr": ("fr-fr", "fr-be", "fr-ch"),
    "ja": ("ja",),
    "es": ("es", "es-419"),
    "it": ("it",),
    "nl": ("nl",),
    "sv": ("sv",),
}
"""espeak's accents of a language, the common ones several times."""

FLITE: tuple[tuple[str, Gender], ...] = (
    ("slt", "female"),
    ("rms", "male"),
    ("awb", "male"),
    ("kal16", "male"),
)
FESTIVAL: tuple[tuple[str, Gender], ...] = (
    ("voice_cmu_us_slt_arctic_hts", "female"),
    ("voice_kal_diphone", "male"),
    ("voice_ked_diphone", "male"),
)
LETTER: Mapping[Engine, str] = {"espeak": "e", "flite": "l", "festival": "v"}
TONE_HERTZ = ((600, 150, 190), (1200, 110, 160), (2000, 90, 140), (3000, 80, 130))


@frozen
class Speaker:
    """A voice of an engine, modified to sound like another speaker."""

    id: str
    engine: Engine
    lang: str
    gender: Gender
    rate: float = 1.0
    """Duration of the speech, in multiples of the engine's."""
    warp: float = 1.0
    """Factor of formants and pitch together; above 1 the vocal tract is shorter."""
    voice: str = ""
    """Of flite or festival."""
    f0: float = 1.0
    """Pitch in multiples of the voice's own (flite)."""
    accent: str = ""
    variant: str = ""
    """espeak's voice file."""
    wpm: int = 160
    gap: int = 0
    """Pause between words, in espeak's unit of 10 ms."""


def invent(
    count: int, *, seed: int, language: str = "en", shares: Mapping[Engine, float]
) -> list[Speaker]:
    """Draw speakers; the same seed gives the same ones. flite and festival speak English only."""
    rng = random.Random(seed)
    engines = [name for name, share in shares.items() for _ in range(round(100 * share))]
    return [_invent_one(rng, number, language, engines) for number in range(count)]


def read_speakers(path: Path) -> list[Speaker]:
    """Speakers of a JSON list. One that is listed twice is used twice as often."""
    return [Speaker(**speaker) for speaker in json.loads(path.read_text(encoding="utf-8"))]


def to_json(speakers: list[Speaker]) -> list[dict[str, Any]]:
    """What `read_speakers` reads, without options that are left at their defaults."""
    return [asdict(speaker, filter=_chosen) for speaker in speakers]


def _invent_one(rng: random.Random, number: int, language: str, engines: list[Engine]) -> Speaker:
    # The order of the random draws matters: it decides who speaks.
    engine = rng.choice(engines) if language == "en" else "espeak"
    rate = rng.uniform(0.88, 1.12)
    name = f"{language}_{LETTER[engine]}{number:03d}"
    if engine == "espeak":
        return _espeak(rng, name, language, rate)
    return _flite(rng, name, rate) if engine == "flite" else _festival(rng, name, rate)


def _espeak(rng: random.Random, name: str, language: str, rate: float) -> Speaker:
    accent = rng.choice(ACCENTS[language])
    gender, variant = _variant(rng)
    return Speaker(
        name,
        "espeak",
        language,
        gender,
        rate,
        accent=accent,
        variant=variant,
        wpm=rng.randint(140, 185),
        gap=rng.randint(0, 2),
    )


def _flite(rng: random.Random, name: str, rate: float) -> Speaker:
    voice, gender = rng.choice(FLITE)
    warp = rng.uniform(0.86, 1.02) if gender == "female" else rng.uniform(0.92, 1.22)
    f0 = rng.uniform(0.85, 1.15)
    if gender == "female" and warp < 0.9:  # a long vocal tract: a man's, if the pitch fits
        return Speaker(name, "flite", "en", "male", rate, warp, voice, rng.uniform(0.65, 0.8))
    return Speaker(name, "flite", "en", gender if warp < 1.13 else "female", rate, warp, voice, f0)


def _festival(rng: random.Random, name: str, rate: float) -> Speaker:
    voice, gender = rng.choice(FESTIVAL)
    warp = rng.uniform(0.86, 1.04) if gender == "female" else rng.uniform(0.92, 1.2)
    return Speaker(name, "festival", "en", gender, rate, warp, voice)


def _variant(rng: random.Random) -> tuple[Gender, str]:
    """A voice file for espeak: pitch, length of the vocal tract and timbre that people have."""
    gender: Gender = rng.choice(("male", "female"))
    man = gender == "male"
    pitch = rng.uniform(75, 125) if man else rng.uniform(150, 225)
    tract = rng.uniform(86, 104) if man else rng.uniform(106, 122)
    top = pitch * rng.uniform(1.25, 1.75)
    lines = ["language variant", "name gen", f"gender {gender}", f"pitch {int(pitch)} {int(top)}"]
    if rng.random() < 0.5:
        lines.append(f"flutter {rng.randint(0, 6)}")
    lines.append(f"roughness {rng.choice((0, 0, 0, 1, 2, 3))}")
    klatt = rng.random() < 0.35
    if klatt:
        lines.append(f"klatt {rng.randint(1, 3)}")
    lines += [_formant(rng, number, tract) for number in range(9)]
    if not klatt and rng.random() < 0.5:
        lines += _breath(rng)
    lines.append(f"voicing {rng.randint(70, 115)}")
    lines.append(f"consonants {rng.randint(70, 140)} {rng.randint(70, 140)}")
    lines.append("tone " + " ".join(f"{hz} {rng.randint(a, b)}" for hz, a, b in TONE_HERTZ))
    return gender, "\n".join(lines) + "\n"


def _formant(rng: random.Random, number: int, tract: float) -> str:
    """Frequency, height and width of a formant in percent."""
    frequency = tract * rng.uniform(0.955, 1.045) if number else 100
    height = rng.uniform(85, 120) if number < 4 else rng.uniform(60, 130)
    return f"formant {number} {int(frequency)} {int(height)} {int(rng.uniform(80, 140))}"


def _breath(rng: random.Random) -> list[str]:
    heights = [0, *(rng.randint(0, 6) for _ in range(4)), 0, rng.randint(0, 8), 0]
    return ["breath " + " ".join(map(str, heights)), "breathw 150 150 200 200 400 400 400 400"]


def _chosen(attribute: Attribute[Any], value: object) -> bool:
    return attribute.default is NOTHING or value != attribute.default
