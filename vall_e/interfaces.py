"""What the core asks of a component. Torch-free: shapes are for the reader and the type checker.

Sizes, as in the README's glossary: `b` batch, `t` positions, `f` frames of codes, `k` RVQ levels,
`v` entries of one codebook (plus the stop token where the AR stage draws), `p` phonemes, `d` model
width, `h` heads, `s` samples. Batch first; padding on the right; masks are True where attention is
allowed; audio is float in [-1, 1].
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from attrs import field, frozen

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import torch
    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from vall_e.model.weights import Bundle


@runtime_checkable
class Cache(Protocol):
    """What a backbone remembers of the positions it has seen, one row a request.

    Allocated once for `max_length` positions. `lengths` says how many each row holds; a forward
    pass with `lengths=n` appends n positions to each row (rows may differ). Writing past
    `max_length` is a `ValueError`.
    """

    lengths: Int[Tensor, " b"]
    max_length: int

    def select(self, rows: Int[Tensor, " r"]) -> Cache:
        """The cache of these rows only, in this order (finished requests leave the batch)."""
        ...


@runtime_checkable
class Backbone(Protocol):
    """A stack that maps a sequence of vectors to a sequence of vectors; a `torch.nn.Module`.

    `bidirectional` says whether it can run with `causal=False`; `caches` whether `new_cache` works.
    """

    d_model: int
    bidirectional: bool
    caches: bool

    def __call__(
        self,
        x: Float[Tensor, "b t d"],
        *,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        """Run over right-padded rows; gives the hidden states and an auxiliary loss (0 if none).

        `lengths` counts the valid positions of each row of `x`; `positions` are the indices that
        positional encodings see. With a cache (causal only) `x` continues what the cache holds.
        Outputs past `lengths` are unspecified but finite.
        """
        ...

    def new_cache(self, batch: int, max_length: int) -> Cache:
        """Preallocate on the module's device and dtype."""
        ...


@runtime_checkable
class LayeredCache(Cache, Protocol):
    """A cache whose last positions can be taken back."""

    def rewind(self, lengths: Int[Tensor, " b"]) -> None:
        """Go on after so many positions of each row; those after them will be overwritten."""
        ...


@runtime_checkable
class Layered(Protocol):
    """What a `Backbone` has besides if its layers can be run one by one. LayerSkip needs it.

    A whole pass is `exit(span(x, first=0, last=depth))`. `new_cache` gives a `LayeredCache`.
    """

    depth: int

    def span(
        self,
        x: Float[Tensor, "b t d"],
        *,
        first: int,
        last: int,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        """Run layers `first` to `last - 1` over states that left layer `first - 1`.

        The rest is as of a whole pass. Of the cache only these layers' part is read and written;
        its lengths grow all the same, so `rewind` it before the layers that follow. A row of
        length 0 changes nothing.
        """
        ...

    def exit(self, x: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
        """What the heads read, of states that left any layer."""
        ...


@runtime_checkable
class Stepping(Protocol):
    """A `Backbone` with a shorter way to one more position of every row; it may go without."""

    def steps(self) -> Callable[[Tensor, Tensor, Cache], Tensor]:
        """`step(x, positions, cache)`, made for one decoding: the weights stay meanwhile.

        Takes vectors (b, d) and positions (b,), gives states (b, d): what a pass over `x[:, None]`
        with lengths of 1 does, up to rounding, without gradients and without waiting for a GPU.
        """
        ...


@frozen
class AttentionCase:
    """What a kernel is asked to do. Equal cases have equal answers, so they may be remembered."""

    device: torch.device
    dtype: torch.dtype
    head_dim: int
    heads: int
    kv_heads: int
    """Fewer than `heads`, of which it is a divisor, where query heads share keys and values."""
    masked: bool = False
    """An explicit mask is given."""
    causal: bool = False
    dropout: float = 0.0
    training: bool = False
    """Gradients are wanted."""
    padding: bool = False
    """The mask hides whole keys: it is the same for all queries of a row."""

    @classmethod
    def of(
        cls,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        *,
        mask: Bool[Tensor, "b 1 t u"] | None,
        causal: bool,
        dropout: float,
    ) -> AttentionCase:
        """The case that these arguments of a kernel make."""
        return cls(
            device=q.device,
            dtype=q.dtype,
            head_dim=q.shape[-1],
            heads=q.shape[1],
            kv_heads=k.shape[1],
            masked=mask is not None,
            causal=causal,
            dropout=dropout,
            training=q.requires_grad or k.requires_grad,
            # Told by how it lies in memory: a look at what it says would wait for the GPU.
            padding=mask is not None and (mask.shape[2] == 1 or mask.stride(2) == 0),
        )


@runtime_checkable
class AttentionKernel(Protocol):
    """Scaled dot-product attention over `h` query heads, a multiple of `g` key/value heads."""

    name: str

    def unsupported(self, case: AttentionCase) -> str | None:
        """Why this cannot be done here, or None. A call that it covers is an `UnavailableError`."""
        ...

    def __call__(
        self,
        q: Float[Tensor, "b h t c"],
        k: Float[Tensor, "b g u c"],
        v: Float[Tensor, "b g u c"],
        *,
        mask: Bool[Tensor, "b 1 t u"] | None = None,
        causal: bool = False,
        scale: float | None = None,
        dropout: float = 0.0,
    ) -> Float[Tensor, "b h t c"]:
        """`causal` goes with mask None and t == u. `scale`: c ** -0.5 unless given.

        `dropout` is the chance of each attention weight to be dropped; the rest is scaled up.
        """
        ...


@runtime_checkable
class CodecStream(Protocol):
    """Decodes codes as they come. All outputs joined up equal `Codec.decode` of the whole.

    Sound is on the device of the codes.
    """

    def push(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """Take `f` more frames; gives the samples that are final by now (possibly none)."""
        ...

    def flush(self) -> Float[Tensor, "b 1 s"]:
        """The rest; (1, 1, 0) if nothing was pushed. The stream cannot be used afterwards."""
        ...


@runtime_checkable
class Codec(Protocol):
    """Turns a waveform into residual codes and back. Configured once; encoding changes no state.

    `identity` names codec and weights (say `embedded-16k:3f2a9c01`): codes of another identity
    are refused. `frame_rate` is frames a second, each of a whole number of samples
    (`frame_samples`); `causal` is True if `stream()` gives audio before the end.

    A codec with weights is a `torch.nn.Module`: `to(device)` moves it. What comes out is on the
    device of what went in, and a codec without weights runs there.
    """

    identity: str
    sample_rate: int
    frame_rate: float
    levels: int
    codebook_size: int
    causal: bool

    def encode(self, audio: Float[Tensor, "b 1 s"]) -> Int[Tensor, "b k f"]:
        """`f` is `frame_count(s, ...)`: a last frame that is only begun counts as a whole one.

        Samples a little beyond [-1, 1] are clipped, with a warning. What cannot be sound is an
        `AudioError`: integers, samples that are no numbers, or beyond +-4.
        """
        ...

    def decode(self, codes: Int[Tensor, "b n f"]) -> Float[Tensor, "b 1 s"]:
        """From the first n <= k levels; `s` is f * `frame_samples(...)`."""
        ...

    def stream(self) -> CodecStream: ...


@runtime_checkable
class Vectored(Protocol):
    """What a `Codec` has besides if its codes stand for vectors that are summed over the levels."""

    def code_vectors(self) -> Float[Tensor, "k v c"]:
        """What each code of each level adds to the vector of its frame, before it is decoded."""
        ...


@runtime_checkable
class Local(Protocol):
    """What a `Codec` has besides if it sees only so far: long recordings are cut without seams.

    In frames on either side: `encode_context` of sound that the codes of a frame depend on, and
    `decode_context` of codes that its sound depends on; None: on all that came before.
    """

    encode_context: int | None
    decode_context: int | None


def frame_samples(*, sample_rate: int, frame_rate: float) -> Fraction:
    """Samples of one frame, exactly; a codec's is a whole number.

    A rate such as 16000 / 384 is no float: what is meant is the fraction that is nearest to it.
    """
    return sample_rate / Fraction(frame_rate).limit_denominator(sample_rate)


def frame_count(samples: int, *, sample_rate: int, frame_rate: float) -> int:
    """ceil(samples * frame_rate / sample_rate), without rounding on the way."""
    return ceil(samples / frame_samples(sample_rate=sample_rate, frame_rate=frame_rate))


@runtime_checkable
class LogitsProcessor(Protocol):
    """Changes the distribution of the next token. Vectorised; a row never looks at another."""

    def __call__(
        self, history: Int[Tensor, "b t"], logits: Float[Tensor, "b v"]
    ) -> Float[Tensor, "b v"]:
        """`history` holds what was drawn so far. Does not change `logits` in place."""
        ...


@runtime_checkable
class Draw(Protocol):
    """The last step of a sampler chain: picks a token for each row."""

    def draw(
        self,
        history: Int[Tensor, "b t"],
        logits: Float[Tensor, "b v"],
        generators: Sequence[torch.Generator],
    ) -> Int[Tensor, " b"]:
        """`generators[i]` belongs to row i, so that a row draws the same in any batch."""
        ...


@runtime_checkable
class Stateful(Protocol):
    """A sampler that remembers more of each row than `history` says; most do not.

    It serves the AR stage only, where a row stays what it is from frame to frame.
    """

    def select(self, rows: Int[Tensor, " r"]) -> None:
        """The batch goes on with these of its rows, in this order (others have ended)."""
        ...


Sampler = LogitsProcessor | Draw
"""What a sampler component builds: one of the two. It is built anew for every request."""


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
        """So much of a recording of `data.noise`, begun anywhere, and again where it ends.

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
Use = Literal["needed", "optional", "unused"]
Spelling = Literal["unused", "read", "written"]


@frozen
class Wants:
    """What a request for a task must and may bring, and what its training data must hold.

    A request that lacks something or brings what would be left unheard is refused.
    """

    text: Use = "needed"
    voice: Use = "optional"
    input: Use = "unused"
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


@runtime_checkable
class Phonemizer(Protocol):
    """Text to phonemes. `languages` are the codes that `--language` accepts; empty: all codes."""

    languages: Sequence[str]

    def __call__(self, text: str, language: str) -> str:
        """IPA with word gaps and punctuation. Raises `TextError` for a language it lacks."""
        ...

    def alphabet(self) -> Iterable[str]:
        """Every symbol that may come out, as far as it is known beforehand."""
        ...


@runtime_checkable
class Engine(Protocol):
    """Runs the steps of the training loop: where, in which precision, on how many devices.

    One loop serves every engine; `rank` and `world_size` say which share of the data is ours.
    """

    device: torch.device
    rank: int
    world_size: int

    def prepare(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        device: str,
        precision: str,
    ) -> torch.nn.Module:
        """Move the model; gives what the loop calls in its place. Sets device, rank, world_size.

        `device` and `precision` are those of `training`. The model's `forward` takes examples and
        gives a dict of scalars, `loss` among them. Raises `UnavailableError` if it cannot run here.
        """
        ...

    def autocast(self) -> AbstractContextManager[object]:
        """Around each forward pass: what `precision` asks for."""
        ...

    def backward(self, loss: Float[Tensor, ""], *, last: bool) -> None:
        """Add to the gradients; `last` of an accumulation window: ranks exchange them only then."""
        ...

    def step(self, *, clip_norm: float) -> float:
        """Unscale, clip, update, zero the gradients; gives the gradient norm before clipping.

        Gradients that are not finite change no weight; the norm tells of them.
        """
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """What `prepare`d state (a loss scale, say) must come back on resume."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None: ...


@runtime_checkable
class Averaging(Protocol):
    """What an optimizer has besides if it learns other weights than those to speak with."""

    def eval(self) -> None:
        """Give the parameters the values to speak with."""
        ...

    def train(self) -> None:
        """Go on learning. The values to learn with are put back afterwards, bit for bit."""
        ...


@runtime_checkable
class Rounding(Protocol):
    """What a module has besides if it computes with other weights than those that it learns."""

    def settle(self) -> None:
        """Take over the weights that it computes with, and compute with them as they are.

        What a plain module computes from them is then the same.
        """
        ...

    def unsettle(self) -> None:
        """Go on learning. The weights to learn are put back afterwards, bit for bit."""
        ...


@runtime_checkable
class Exporter(Protocol):
    """Writes a trained model in one format; `suffix` is its file's, say `.safetensors`.

    A format of several files is a folder.
    """

    suffix: str

    def __call__(self, bundle: Bundle, path: Path) -> None:
        """The file appears whole or not at all."""
        ...
