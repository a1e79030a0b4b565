"""What tasks mix into training samples: other recordings, noise, several sounds together."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import torch
from attrs import Factory, field, frozen
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.codec.edit import silence
from vall_e.data.batching.concatenation import NOTHING, Addition
from vall_e.data.batching.corpus import Corpus, Utterance, read_codes
from vall_e.data.batching.prompts import AnyOther, PromptNoise, PromptSource
from vall_e.errors import DataError
from vall_e.interfaces.codec import Codec
from vall_e.interfaces.store import Stored
from vall_e.interfaces.task import Recorded, Task, Wants

UtteranceCodes = Int[Tensor, "k f"]


SILENCE = 1e-3
"""Amplitude, of at most 1. Softer sounds have no loudness to match."""


class CodeMixer:
    """Mixes sounds as codes. Each process creates its codec when first needed."""

    def __init__(self, make: Callable[[], Codec]) -> None:
        self._make = make
        self._codec: Codec | None = None
        self._silence: UtteranceCodes | None = None

    @property
    def codec(self) -> Codec:
        """Created when first used."""
        self._codec = self._codec or self._make()
        return self._codec

    @torch.no_grad()
    def __call__(
        self, main: UtteranceCodes, other: UtteranceCodes, decibels: float
    ) -> UtteranceCodes:
        """`main` at its own level and length, with `other` softer by this many decibels."""
        first, second = (self.codec.decode(codes[None])[0, 0] for codes in (main, other))
        mixture = _sum(first, second, 10 ** (-decibels / 20))
        return self.codec.encode(mixture[None, None])[0]

    def silence(self, frames: int) -> UtteranceCodes:
        """The codec's codes for this many frames of silence, cut from the longest so far."""
        if self._silence is None or self._silence.shape[1] < frames:
            codes = silence(self.codec, frames).values
            self._silence = torch.from_numpy(codes.astype("int64"))
        return self._silence[:, :frames]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_codec": None, "_silence": None}


def _sum(main: Float[Tensor, " s"], other: Float[Tensor, " t"], ratio: float) -> Tensor:
    """Silence has no loudness to match: then only the ratio is used."""
    other = torch.nn.functional.pad(other[: len(main)], (0, max(0, len(main) - len(other))))
    loudness = [float(sound.square().mean().sqrt()) for sound in (main, other)]
    gain = ratio * (loudness[0] / loudness[1] if min(loudness) > SILENCE else 1.0)
    mixture = main + gain * other
    return mixture / max(1.0, float(mixture.abs().max()))


@frozen(eq=False)
class Materials:
    """Finds what is mixed into the samples of a corpus."""

    corpus: Corpus
    mixer: CodeMixer | None = None
    noises: Sequence[Stored] = ()
    prompts: PromptSource = field(factory=AnyOther)
    prompt_parts: tuple[int, int] = (1, 1)
    """Number of recordings that a prompt is joined from; drawn for each."""
    prompt_noise: PromptNoise = field(factory=PromptNoise)
    _said: Mapping[bytes, Sequence[int]] = field(
        init=False, default=Factory(lambda self: _by_text(self.corpus), takes_self=True)
    )

    def of(self, index: int, frames: int, addition: Addition = NOTHING) -> CorpusSource:
        """The source for one utterance, with prompts of `frames`; 0 for no prompt."""
        return CorpusSource(self, index, frames, addition)

    def twins(self, index: int) -> Sequence[int]:
        """Utterances of other speakers with the same text."""
        ours = self.corpus.utterances[index]
        same = self._said[ours.text.tobytes()]
        return [other for other in same if self.corpus.utterances[other].speaker != ours.speaker]

    def serve(self, wants: Wants, index: int) -> bool:
        """Whether a task can learn from this utterance."""
        utterance = self.corpus.utterances[index]
        if wants.strangers and len(self.corpus.speakers) < 2:
            return False
        if wants.neighbours and len(self.corpus.speakers[utterance.speaker]) < 2:
            return False
        if wants.spelling != "unused" and not utterance.entry.text.strip():
            return False
        return not wants.twins or bool(self.twins(index))

    def require(self, tasks: Iterable[Task]) -> None:
        """Raise `DataError` if a task cannot learn anything, or if no task uses an utterance."""
        tasks, places = list(tasks), range(len(self.corpus))
        for task in tasks:
            if task.wants.noise and not self.noises:
                raise no_noise(f"the task {task.name} needs noise")
            if not any(self.serve(task.wants, place) for place in places):
                raise _cannot_learn(task, len(self.corpus.speakers))
        idle = [i for i in places if not any(self.serve(task.wants, i) for task in tasks)]
        if idle:
            raise DataError(
                f"{len(idle)} utterances cannot be used by any task, the first of them "
                f"{self.corpus.utterances[idle[0]].entry.id!r}: no other speaker has the same "
                "text, "
                "its speaker has no other recording, or its text is unknown",
                hint="add the task tts, or remove them from the data",
            )


@frozen(eq=False)
class CorpusSource:
    """The `Source` of one training sample."""

    materials: Materials
    index: int
    frames: int
    addition: Addition = NOTHING

    def spoken(self) -> Recorded:
        """The utterance with what is added to it."""
        added = self.addition
        own = self._recorded(self.index)
        if added == NOTHING:
            return own
        parts = [own, *(self._recorded(other) for other in added.more)]
        silence = [self._silence(seconds) for seconds in (added.before, added.after)]
        codes = [silence[0], *(part.codes for part in parts), silence[1]]
        text = self.joined([part.text for part in parts]) if added.more else own.text
        return Recorded(text, torch.cat(codes, dim=1))

    def prompt(self, rng: random.Random) -> UtteranceCodes | None:
        if not self.frames:
            return None
        corpus = self.materials.corpus
        drawn = self.materials.prompts(corpus, self.index, rng)
        others = [other for other in drawn if other not in self.addition.more]
        low, high = self.materials.prompt_parts
        parts = rng.randint(low, high) if low < high else low
        codes = corpus.glued(others, self.frames, rng, parts=parts)
        return None if codes is None else self.materials.prompt_noise(codes, self, rng)

    def neighbour(self, rng: random.Random) -> Recorded | None:
        corpus = self.materials.corpus
        same = corpus.speakers[corpus.utterances[self.index].speaker]
        mine = {self.index, *self.addition.more}
        return self._recorded(_other(same, mine, rng)) if len(same) > len(mine) else None

    def joined(self, texts: Sequence[Int[Tensor, " _"]]) -> Int[Tensor, " p"]:
        space = torch.tensor(self.materials.corpus.space, dtype=torch.long)
        parts = [part for text in texts for part in (space, text[1:-1])]
        return torch.cat([texts[0][:1], *parts[1:], texts[0][-1:]])

    def spelling(self) -> Int[Tensor, " p"]:
        spelling = self.materials.corpus.utterances[self.index].spelling
        if spelling is None:
            raise DataError(
                "the corpus was made without written texts",
                hint="make it with make_corpus(..., spelt=True)",
            )
        return torch.from_numpy(spelling)

    def twin(self, rng: random.Random) -> Recorded:
        return self._recorded(rng.choice(self.materials.twins(self.index)))

    def stranger(self, frames: int, rng: random.Random) -> UtteranceCodes:
        corpus = self.materials.corpus
        ours = corpus.utterances[self.index].speaker
        speaker = _other(range(len(corpus.speakers)), {ours}, rng)
        utterance = corpus.utterances[rng.choice(corpus.speakers[speaker])]
        start = rng.randint(0, max(0, utterance.entry.frames - frames))
        return utterance.codes(start, start + frames)

    def noise(self, frames: int, rng: random.Random) -> UtteranceCodes:
        dataset = rng.choice(self.materials.noises)
        entry = rng.choice(dataset.entries)
        start = rng.randrange(max(1, entry.frames))
        if start + frames <= entry.frames:
            return torch.from_numpy(read_codes(dataset, entry, start, start + frames))
        whole = torch.from_numpy(read_codes(dataset, entry))
        return torch.cat([whole] * (2 + frames // entry.frames), 1)[:, start : start + frames]

    def mixed(
        self, main: UtteranceCodes, other: UtteranceCodes, *, decibels: float
    ) -> UtteranceCodes:
        return self._mixer(main, other, decibels)

    @property
    def _mixer(self) -> CodeMixer:
        if self.materials.mixer is None:
            raise DataError(
                "sounds can only be mixed with a codec", hint="make Materials with a CodeMixer"
            )
        return self.materials.mixer

    def _silence(self, seconds: float) -> UtteranceCodes:
        info = self.materials.corpus.info
        if not seconds:
            return torch.empty(info.levels, 0, dtype=torch.long)
        return self._mixer.silence(round(seconds * info.frame_rate))[: info.levels]

    def _recorded(self, index: int) -> Recorded:
        utterance: Utterance = self.materials.corpus.utterances[index]
        return Recorded(torch.from_numpy(utterance.text), utterance.codes())


def _other(values: Sequence[int], without: Collection[int], rng: random.Random) -> int:
    """One of ascending values except some, without going through a long list."""
    drawn = rng.randrange(len(values) - len(without))
    for place in sorted(bisect_left(values, value) for value in without):
        drawn += drawn >= place
    return values[drawn]


def no_noise(needs: str) -> DataError:
    """For a run that needs noise, as `needs` says, and has none."""
    return DataError(
        f"{needs}, but data.noise lists no dataset",
        hint="process recordings of noise with `vall-e data process --voices-only` "
        "and list the folder in data.noise",
    )


def _cannot_learn(task: Task, speakers: int) -> DataError:
    """The error for a task that cannot learn from any utterance."""
    if task.wants.spelling != "unused":
        lacking = "needs written texts, but no utterance has one"
    elif task.wants.neighbours:
        lacking = "needs speakers with several recordings, but there are none"
    else:
        missing = "a sentence that two of them speak" if task.wants.twins else "another one"
        lacking = f"needs several speakers, but the data have {speakers}, without {missing}"
    return DataError(
        f"the task {task.name} {lacking}",
        hint=f"add such recordings, or remove {task.name} from tasks",
    )


def _by_text(corpus: Corpus) -> dict[bytes, list[int]]:
    said: dict[bytes, list[int]] = {}
    for place, utterance in enumerate(corpus.utterances):
        said.setdefault(utterance.text.tobytes(), []).append(place)
    return said
