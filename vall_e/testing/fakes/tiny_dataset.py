"""A small dataset that can be learned: each letter and each speaker has its own sound."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vall_e.data.dataset.manifest import CODES, MANIFEST, Entry, Info, line_of, write_info
from vall_e.interfaces.codec import Codec

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
FRAMES = 4  # per letter


def write_dataset(
    folder: Path,
    codec: Codec,
    *,
    utterances: int = 20,
    speakers: Sequence[str] = ("ann", "bob"),
    language: str = "en-us",
    seed: int = 0,
    texts: Sequence[str] = (),
    spelt: Callable[[str], str] = str,
) -> Path:
    """What `vall-e data process` would make of `utterances` short recordings; returns `folder`.

    Speakers alternate, and so do `texts`, if given; otherwise they say a few random words. A text
    is its own phonemes; `spelt` converts it to its spelling.
    """
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[Entry] = []
    offset = 0
    with (folder / CODES).open("wb") as file:
        for number in range(utterances):
            speaker = speakers[number % len(speakers)]
            drawn = " ".join(rng.choices(WORDS, k=rng.randint(2, 4)))
            text = texts[number % len(texts)] if texts else drawn
            codes = _spoken(text, speakers.index(speaker), codec)
            entry = Entry(
                id=f"{speaker}-{number}",
                speaker=speaker,
                language=language,
                text=spelt(text),
                phonemes=text,
                seconds=len(codes) / codec.frame_rate,
                offset=offset,
                frames=len(codes),
            )
            entries.append(entry)
            file.write(codes.tobytes())
            offset += len(codes)
    (folder / MANIFEST).write_text("".join(map(line_of, entries)), encoding="utf-8")
    info = Info(
        codec=codec.identity,
        frame_rate=codec.frame_rate,
        sample_rate=codec.sample_rate,
        levels=codec.levels,
        codebook_size=codec.codebook_size,
        phonemizer="none",
        complete=True,
        utterances=len(entries),
        speakers=len({entry.speaker for entry in entries}),
        seconds=sum(entry.seconds for entry in entries),
    )
    write_info(folder, info)
    return folder


def _spoken(text: str, speaker: int, codec: Codec) -> np.ndarray:
    """Codes (frames, levels) that depend on letter, frame within the letter, level and speaker."""
    letters = np.repeat([ord(letter) for letter in text], FRAMES)
    beats = np.tile(np.arange(FRAMES), len(text))
    levels = np.arange(codec.levels)
    mixed = letters[:, None] * 7 + beats[:, None] * (levels + 1) + speaker * 3
    codes: np.ndarray = (mixed % codec.codebook_size).astype("<i2")
    return codes
