"""What the core asks of a task, and what it provides. Torch-free; sizes: `vall_e.interfaces`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from jaxtyping import Int
    from torch import Tensor


class Source(Protocol):
    """Where a task finds what it adds to a training sample, besides the utterance itself.

    Audio is mixed as a waveform and encoded again, in the loader processes if there are any.
    """

    def prompt(self, rng: random.Random) -> Int[Tensor, "k f"] | None:
        """Codes of the same speaker's other recordings, cut to the configured length."""
        ...

    def neighbour(self, rng: random.Random) -> Recorded | None:
        """Another complete recording of the same speaker; None if there is none."""
        ...

    def joined(self, texts: Sequence[Int[Tensor, " _"]]) -> Int[Tensor, " p"]:
        """The texts as one, with a space between them and <bos> and <eos> around all."""
        ...

    def spelling(self) -> Int[Tensor, " p"]:
        """The utterance's text as spelled. For tasks that want `spelling`."""
        ...

    def twin(self, rng: random.Random) -> Recorded:
        """The same phonemes spoken by another speaker. For tasks that want `twins`."""
        ...

    def stranger(self, frames: int, rng: random.Random) -> Int[Tensor, "k f"]:
        """At most `frames` of another speaker. For tasks that want `strangers`."""
        ...

    def noise(self, frames: int, rng: random.Random) -> Int[Tensor, "k f"]:
        """Exactly `frames` of a recording from `data.noise`, from a random position.

        For tasks that want `noise`.
        """
        ...

    def mixed(
        self, main: Int[Tensor, "k f"], other: Int[Tensor, "k g"], *, decibels: float
    ) -> Int[Tensor, "k f"]:
        """Both together: `main` at its own level, `other` softer by `decibels`.

        As long as `main`: the rest of `other` is cut off.
        """
        ...


@frozen(eq=False)
class Recorded:
    """An utterance: its text and its codes."""

    text: Int[Tensor, " p"]
    codes: Int[Tensor, "k f"]


@frozen(eq=False)
class Sample:
    """The content of one sequence, for training (all `k` levels known) or for a request.

    A request's `response` holds the levels known so far, shape (1, 0) before the first. If the text
    is what is predicted, a request's text is <bos> <eos>.
    """

    text: Int[Tensor, " p"]
    language: int
    prompt: Int[Tensor, "k f"] | None
    response: Int[Tensor, "n g"]
    input: Int[Tensor, "k s"] | None = None
    """The recording that a task works on, for example a noisy one."""
    prompt_text: Int[Tensor, " q"] | None = None
    """The transcript of the prompt, for a task that wants it."""
    read: Int[Tensor, " r"] | None = None
    """The text that a task reads, if it writes another text."""
    edit: tuple[int, int] | None = None
    """The frames of `input` (start, end) that are replaced."""
    mix: tuple[tuple[Int[Tensor, "k f"], float], ...] = ()
    """Prompts of several voices, each as long as `prompt` (the first of them), with weights."""


SegmentName = Literal[
    "text", "read", "language", "level", "prompt", "input", "response", "masked", "length"
]


@frozen(eq=False)
class Segment:
    """A named run of the sequence, embedded by its own table.

    `ids` is (n,) for text, read, language and level; codes (levels, frames) for prompt, input and
    response. Text and read share a table, and so do prompt and input. `masked` is level 0 with some
    frames masked and, for training, their true values, (1 or 2, frames); `length` is a number as
    decimal digits, between a 0 and a 10. Any other name is one of the task's `markers`, a learned
    vector: its `ids` are [0].
    """

    name: str
    ids: Tensor
    mix: tuple[tuple[Tensor, float], ...] = field(default=(), kw_only=True)
    """Replaces the vectors of `ids` by the weighted mean of these codes' vectors."""

    @classmethod
    def marker(cls, name: str) -> Segment:
        """The learned vector of this name."""
        import torch

        return cls(name, torch.zeros(1, dtype=torch.long))

    def __len__(self) -> int:
        return int(self.ids.shape[-1])


Target = Literal["response", "text", "length"]
InputUse = Literal["needed", "optional", "unused"]
Spelling = Literal["unused", "read", "written"]


@frozen
class Wants:
    """What a request for a task must and may contain, and what its training data needs.

    A request that lacks something, or contains something the task would ignore, is refused.
    """

    text: InputUse = "needed"
    voice: InputUse = "optional"
    input: InputUse = "unused"
    """A recording to work on (`--input`); the response is as long as it is."""
    edit: bool = False
    """Which part of `input` is replaced (`--edit`); `text` is then the text of the whole result."""
    transcript: bool = False
    """The transcript of the voice recording; the whole recording is then the prompt."""
    spelling: Spelling = "unused"
    """Whether it reads or writes spelled text. The vocabulary then also has the characters of the
    data's texts, and a request's text goes to the model unchanged, without a phonemizer."""
    noise: bool = False
    """`data.noise`, for training."""
    strangers: bool = False
    """Two or more speakers, for training."""
    neighbours: bool = False
    """Speakers with several recordings, for training."""
    twins: bool = False
    """Sentences that several speakers say, for training."""


@runtime_checkable
class Task(Protocol):
    """Which segments a sequence has, in which order, and what is predicted.

    `name` is what `--task` and `tasks:` use; `target` names the predicted segment: `response`,
    level by level, or `text` or `length`, from level 0 alone. `markers` are names of learned
    vectors in its sequences, by which the model can distinguish it from other tasks.
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

        If the text is the target, it has no <bos> and <eos> here.
        """
        ...
