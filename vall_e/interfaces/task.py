"""What the core asks of a task, and gives it. Torch-free; sizes: `vall_e.interfaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from jaxtyping import Int
    from torch import Tensor


class Source(Protocol):
    """Where a task finds what it mixes into a training sample, besides the utterance itself.

    Sound is mixed as a waveform and encoded anew, in the loader processes where there are any.
    """

    def prompt(self, rng: random.Random) -> Int[Tensor, "k f"] | None:
        """Codes of the same speaker's other recordings, cut to the configured length."""
        ...

    def neighbour(self, rng: random.Random) -> Recorded | None:
        """Another recording of the same speaker as a whole; None where there is none."""
        ...

    def joined(self, texts: Sequence[Int[Tensor, " _"]]) -> Int[Tensor, " p"]:
        """The texts as one, with a space between them and <bos> and <eos> around all."""
        ...

    def spelling(self) -> Int[Tensor, " p"]:
        """The utterance's text as it is spelt. For tasks that want `spelling`."""
        ...

    def twin(self, rng: random.Random) -> Recorded:
        """The same phonemes said by another speaker. For tasks that want `twins`."""
        ...

    def stranger(self, frames: int, rng: random.Random) -> Int[Tensor, "k f"]:
        """At most `frames` of another speaker. For tasks that want `strangers`."""
        ...

    def noise(self, frames: int, rng: random.Random) -> Int[Tensor, "k f"]:
        """So many frames of a recording of `data.noise`, from a random place, repeated as needed.

        For tasks that want `noise`.
        """
        ...

    def mixed(
        self, main: Int[Tensor, "k f"], other: Int[Tensor, "k g"], *, decibels: float
    ) -> Int[Tensor, "k f"]:
        """Both at once: `main` as loud as it is, `other` so many decibels softer.

        As long as `main`: what `other` has more is cut off.
        """
        ...


@frozen(eq=False)
class Recorded:
    """An utterance: what it says, and its codes."""

    text: Int[Tensor, " p"]
    codes: Int[Tensor, "k f"]


@frozen(eq=False)
class Sample:
    """The content of one sequence, for training (all `k` levels known) or for a request.

    A request's `response` holds the levels known so far: none yet drawn is shape (1, 0). Where the
    text is what is predicted, a request's is <bos> <eos>.
    """

    text: Int[Tensor, " p"]
    language: int
    prompt: Int[Tensor, "k f"] | None
    response: Int[Tensor, "n g"]
    input: Int[Tensor, "k s"] | None = None
    """The recording that a task works on, say one with noise."""
    prompt_text: Int[Tensor, " q"] | None = None
    """What the prompt says, for a task that wants it."""
    read: Int[Tensor, " r"] | None = None
    """The text that a task works on, which writes another text."""
    edit: tuple[int, int] | None = None
    """The frames of `input`, from and up to, that are said anew."""
    mix: tuple[tuple[Int[Tensor, "k f"], float], ...] = ()
    """Prompts of several voices, as long as `prompt`, the first of them, with their weights."""


SegmentName = Literal[
    "text", "read", "language", "level", "prompt", "input", "response", "masked", "length"
]


@frozen(eq=False)
class Segment:
    """A named run of the sequence, embedded by its own table.

    `ids` is (n,) for text, read, language and level; codes (levels, frames) for prompt, input and
    response. Text and read share their table, prompt and input share theirs. `masked` is level 0
    with some frames masked, and to train on what they are, (1 or 2, frames); `length` is a number
    as decimal digits, between a 0 and a 10. Any other name is one of the task's `markers`, a learnt
    vector: its `ids` are [0].
    """

    name: str
    ids: Tensor
    mix: tuple[tuple[Tensor, float], ...] = field(default=(), kw_only=True)
    """Instead of the vectors of `ids` the mean of these codes' vectors, by weight."""

    @classmethod
    def marker(cls, name: str) -> Segment:
        """The learnt vector of this name."""
        import torch

        return cls(name, torch.zeros(1, dtype=torch.long))

    def __len__(self) -> int:
        return int(self.ids.shape[-1])


Target = Literal["response", "text", "length"]
InputUse = Literal["needed", "optional", "unused"]
Spelling = Literal["unused", "read", "written"]


@frozen
class Wants:
    """What a request for a task must and may bring, and what its training data must hold.

    A request that lacks something or brings what would be left unheard is refused.
    """

    text: InputUse = "needed"
    voice: InputUse = "optional"
    input: InputUse = "unused"
    """A recording to work on (`--input`); the response is as long as it is."""
    edit: bool = False
    """Which part of `input` is said anew (`--edit`); `text` is then what all of it is to say."""
    transcript: bool = False
    """What the voice's recording says; then all of the recording is the prompt."""
    spelling: Spelling = "unused"
    """Whether it reads or writes text as it is spelt. The vocabulary then has the characters of the
    data's texts too, and a request's text goes to the model as it is, without a phonemizer."""
    noise: bool = False
    """`data.noise`, to train."""
    strangers: bool = False
    """Two speakers or more, to train."""
    neighbours: bool = False
    """Speakers with several recordings, to train."""
    twins: bool = False
    """Sentences that several speakers say, to train."""


@runtime_checkable
class Task(Protocol):
    """Which segments a sequence has, in which order, and what is predicted.

    `name` is what `--task` and `tasks:` say; `target` names the segment that is predicted:
    `response`, level by level, or `text` or `length`, from level 0 alone. `markers` are names of
    learnt vectors that its sequences hold, so that the model can tell it from other tasks.
    """

    name: str
    target: Target
    markers: tuple[str, ...]
    wants: Wants

    def sample(
        self,
        *,
        text: Int[Tensor, " p"],
        language: int,
        codes: Int[Tensor, "k f"],
        source: Source,
        rng: random.Random,
    ) -> Sample:
        """Make a training sample of one utterance."""
        ...

    def segments(self, sample: Sample, *, level: int) -> list[Segment]:
        """The sequence that predicts `level`, the target last.

        A text that is the target stands there without <bos> and <eos>.
        """
        ...
