"""A codec compared with Opus and Codec2 on the same recordings: rate, speed, weights, quality."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from math import log2
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import soundfile
import torch
from attrs import frozen

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.audio.pcm import as_pcm16
from vall_e.codec.long_audio import encode_clip, sound_of
from vall_e.device import device_of
from vall_e.errors import UnavailableError
from vall_e.interfaces.codec import Codec
from vall_e.interfaces.judge import Evidence, Judge, Score

OPUS_RATE = 16_000
LOWEST = 1.0
"""Compression level at which libsndfile's Opus aims at 6 kbit/s, with a variable rate."""
OPUSENC_KBITS = (6, 8)
CODEC2_RATE = 8_000
CODEC2_MODE = 3200
CODEC2_DELAY = 160
"""Delay of its programs in samples (20 ms): STOI compares frame by frame."""


@frozen(eq=False)
class Passed:
    """A recording that went through a codec."""

    clip: Clip
    bits: float
    encode_seconds: float
    decode_seconds: float


@frozen(eq=False)
class Contestant:
    """A codec of any kind, ready for recordings."""

    name: str
    note: str
    """Notes on its settings for the reader."""
    run: Callable[[Clip], Passed]
    weight_bytes: int = 0


@frozen
class CodecFigures:
    """Its figures over all recordings. Times are seconds of work per second of audio."""

    name: str
    note: str
    bits_per_second: float
    encode_rtf: float
    decode_rtf: float
    weight_bytes: int
    scores: Mapping[str, float | None]


def contestants(codec: Codec, levels: Sequence[int] = ()) -> list[Contestant]:
    """The codec at each number of levels (default: all), and Opus and Codec2 if available."""
    return [*(_at(codec, number) for number in levels or (codec.levels,)), *_opus(), *_codec2()]


def _at(codec: Codec, levels: int) -> Contestant:
    tensors = [*codec.parameters(), *codec.buffers()] if isinstance(codec, torch.nn.Module) else []
    counted = f"{levels} level" + "s" * (levels > 1)
    return Contestant(
        codec.identity if levels == codec.levels else f"{codec.identity}, {counted}",
        f"{counted}, on {device_of(codec)}",
        lambda clip: _through(codec, clip, levels),
        sum(t.numel() * t.element_size() for t in tensors),
    )


def _opus() -> list[Contestant]:
    """In each variant that is available here."""
    found = [
        Contestant(
            "opus, libsndfile",
            f"compression level {LOWEST:g}, variable rate, without its container",
            _through_libsndfile,
        ),
    ]
    tool = shutil.which("opusenc")
    for kbits in OPUSENC_KBITS if tool else ():
        found.append(
            Contestant(
                f"opus, opusenc {kbits}",
                f"--bitrate {kbits} --hard-cbr, without its container; encoding includes the "
                "start of the program",
                lambda clip, kbits=kbits: _through_opusenc(str(tool), kbits, clip),  # type: ignore[misc]
            )
        )
    return found


def _codec2() -> list[Contestant]:
    """Empty if its two programs are not on PATH."""
    encoder, decoder = shutil.which("c2enc"), shutil.which("c2dec")
    if not (encoder and decoder):
        return []
    return [
        Contestant(
            f"codec2, {CODEC2_MODE}",
            "telephone band; times include the start of the programs",
            lambda clip: _through_codec2((encoder, decoder), clip),
        )
    ]


def measure(
    contestant: Contestant, clips: Sequence[Clip], judges: Sequence[Judge], *, repeats: int
) -> CodecFigures:
    """Run every clip `repeats` times; times are medians, and the first pass is not counted."""
    contestant.run(clips[0])
    passed = [[contestant.run(clip) for _ in range(repeats)] for clip in clips]
    seconds = sum(clip.seconds for clip in clips)
    scores: dict[str, list[Score]] = {}
    for clip, (first, *_) in zip(clips, passed, strict=True):
        evidence = Evidence(_cut(first.clip, clip.seconds), original=clip)
        for judge in judges:
            for name, score in judge(evidence).scores.items():
                scores.setdefault(name, []).append(score)
    return CodecFigures(
        name=contestant.name,
        note=contestant.note,
        bits_per_second=sum(first.bits for first, *_ in passed) / seconds,
        encode_rtf=sum(median(p.encode_seconds for p in each) for each in passed) / seconds,
        decode_rtf=sum(median(p.decode_seconds for p in each) for each in passed) / seconds,
        weight_bytes=contestant.weight_bytes,
        scores={name: _mean(found) for name, found in scores.items()},
    )


def opus_bytes(data: bytes) -> int:
    """Bytes of audio in an Ogg file: the pages after the headers, whose position is 0."""
    return sum(size for position, size in _pages(data) if position)


def _pages(data: bytes) -> Iterator[tuple[int, int]]:
    """Position in samples, and bytes of content, of each page of an Ogg file (RFC 3533)."""
    place = 0
    while data[place : place + 4] == b"OggS":
        (position,) = struct.unpack_from("<q", data, place + 6)
        segments = data[place + 26]
        size = sum(data[place + 27 : place + 27 + segments])
        yield position, size
        place += 27 + segments + size


def _through(codec: Codec, clip: Clip, levels: int) -> Passed:
    clip = clip.mono().resample(codec.sample_rate)  # not counted as the codec's work
    began = perf_counter()
    codes = encode_clip(clip, codec).levels(levels)
    encoded = perf_counter()
    samples = np.concatenate(list(sound_of(codes, codec)), axis=-1)
    decoded = perf_counter() - encoded
    sound = Clip(samples, codec.sample_rate).mono()
    return Passed(sound, _bits(codes, codec), encoded - began, decoded)


def _bits(codes: Codes, codec: Codec) -> float:
    """Including 32 bits for the loudness of each block, if there are any."""
    loudness = 0 if codes.blocks is None else 32 * len(codes.blocks.loudness)
    return codes.values.size * log2(codec.codebook_size) + loudness


def _through_libsndfile(clip: Clip) -> Passed:
    clip, out = clip.mono().resample(OPUS_RATE), BytesIO()
    began = perf_counter()
    with soundfile.SoundFile(
        out, "w", OPUS_RATE, 1, "OPUS", format="OGG", compression_level=LOWEST
    ) as file:
        file.write(np.clip(clip.samples, -1, 1))
    encoded = perf_counter()
    sound = Clip.read(BytesIO(out.getvalue()))
    decoded = perf_counter() - encoded
    return Passed(sound, 8 * opus_bytes(out.getvalue()), encoded - began, decoded)


def _through_opusenc(tool: str, kbits: int, clip: Clip) -> Passed:
    with TemporaryDirectory() as folder:
        wav, opus = Path(folder) / "a.wav", Path(folder) / "a.opus"
        clip.mono().resample(OPUS_RATE).write(wav)
        seconds = _run(tool, "--quiet", "--bitrate", str(kbits), "--hard-cbr", str(wav), str(opus))
        began = perf_counter()
        sound = Clip.read(opus)
        decoded = perf_counter() - began
        return Passed(sound, 8 * opus_bytes(opus.read_bytes()), seconds, decoded)


def _through_codec2(tools: tuple[str, str], clip: Clip) -> Passed:
    with TemporaryDirectory() as folder:
        raw, bits, out = (Path(folder) / name for name in ("a.raw", "a.bit", "b.raw"))
        raw.write_bytes(as_pcm16(clip.mono().resample(CODEC2_RATE).samples).tobytes())
        mode = str(CODEC2_MODE)
        encoding, decoding = (
            _run(tool, mode, str(taken), str(made))
            for tool, taken, made in zip(tools, (raw, bits), (bits, out), strict=True)
        )
        samples = np.frombuffer(out.read_bytes(), "<i2").astype(np.float32) / 2**15
        in_time = np.append(samples[CODEC2_DELAY:], np.zeros(CODEC2_DELAY, np.float32))
        return Passed(Clip(in_time, CODEC2_RATE), 8 * bits.stat().st_size, encoding, decoding)


def _run(tool: str, *words: str) -> float:
    """Seconds that a program took. Raises `UnavailableError` with its error message."""
    began = perf_counter()
    done = subprocess.run([tool, *words], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UnavailableError(
            f"{tool} failed: {done.stderr.strip()}",
            hint=f"update it, or remove {Path(tool).name} from PATH",
        )
    return perf_counter() - began


def _cut(clip: Clip, seconds: float) -> Clip:
    """Without the silence that fills the last frame."""
    return clip.cut(0.0, seconds)


def _mean(scores: Sequence[Score]) -> float | None:
    known = [score for score in scores if score.amount is not None]
    if not known:
        return None
    return sum(s.amount or 0.0 for s in known) / sum(s.weight for s in known)
