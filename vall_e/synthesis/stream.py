"""Audio of a request while it is being made."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import frozen

from vall_e.decoding.decoder import Decoder
from vall_e.synthesis.context import Context
from vall_e.synthesis.plan import Line
from vall_e.synthesis.result import Chunk, Result
from vall_e.synthesis.session import Take


@frozen
class Progress:
    """How far a request is."""

    sentence: int
    """Which sentence is at work, from 0."""
    sentences: int
    frames: int
    """Frames of it that the AR stage has drawn, over all attempts.

    On a GPU a few of them may be dropped (`synthesis.look_every`).
    """
    levels: int
    """Levels of it that the NAR stage has written."""


OnProgress = Callable[[Progress], None]


class Stream(Iterator[Chunk]):
    """Chunks of audio; joined they are what `synthesize` gives for the same request and seed.

    A sentence sounds once its first window is written (`synthesis.window_seconds`), without a
    window once its last level is, since the NAR stage looks at all of it. What comes later is read
    and made only as far as chunks are asked for.
    """

    def __init__(
        self, take: Take, decoder: Decoder, context: Context, on_progress: OnProgress
    ) -> None:
        self._take = take
        self._context = context
        self._chunks = self._speak(decoder, on_progress)

    @property
    def seed(self) -> int:
        return self._take.plan.seed

    @property
    def sample_rate(self) -> int:
        return self._take.codec.sample_rate

    def __next__(self) -> Chunk:
        with self._take.clock.working():
            chunk = next(self._chunks)
        self._take.clock.heard()
        return chunk

    def read(self) -> None:
        """Read the whole text now: what cannot be spoken is a `TextError` before all the work."""
        with self._take.clock.working():
            self._take.plan.lines()

    def result(self) -> Result:
        """What has been made so far: the whole, once there are no more chunks."""
        return self._take.result()

    def _speak(self, decoder: Decoder, on_progress: OnProgress) -> Iterator[Chunk]:
        plan = self._take.plan
        for place in range(len(plan.pieces)):
            line = plan.line(place)
            steps = _Steps(line, len(plan.pieces), on_progress)
            job = self._context.follow(line.job, self._take.past)
            speaking = decoder.speak(job, on_frame=steps.frame, on_level=steps.level)
            yield from self._take.play(speaking)


class _Steps:
    """Counts the steps of a sentence, and reports each."""

    def __init__(self, line: Line, sentences: int, on_progress: OnProgress) -> None:
        self._place = line.job.place
        self._sentences = sentences
        self._report = on_progress
        self._frames = self._levels = 0

    def frame(self) -> None:
        self._frames += 1
        self._tell()

    def level(self) -> None:
        self._levels += 1
        self._tell()

    def _tell(self) -> None:
        self._report(Progress(self._place, self._sentences, self._frames, self._levels))
