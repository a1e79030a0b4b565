"""Speaking: the main path from a text to audio. Read it with `decode_ar.py` and `decode_nar.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from attrs import evolve

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.codec.encode import encode
from vall_e.config.schema import RunConfig
from vall_e.decoding.ar.cuda_graphs import Graphs
from vall_e.decoding.decoder import Decoder
from vall_e.decoding.job import Job
from vall_e.decoding.nar.block_window import BlockWindow
from vall_e.device import find_device, place_codec
from vall_e.errors import AudioError, ConfigError, VallEError
from vall_e.interfaces.codec import Codec
from vall_e.registry import Registry
from vall_e.synthesis.assembly import Parts, gather
from vall_e.synthesis.context import Context
from vall_e.synthesis.loras import Loras, with_strength
from vall_e.synthesis.plan import Planner
from vall_e.synthesis.request import Request, VoiceLike, require_fit
from vall_e.synthesis.result import Result, TextResult
from vall_e.synthesis.session import Take
from vall_e.synthesis.stream import OnProgress, Stream
from vall_e.synthesis.text_output import Scribe
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import LONGEST_SECONDS, NO_VOICE, Voices
from vall_e.synthesis.voice_mixing import glued, mixed
from vall_e.weights.file import Bundle


class Synthesizer:
    """A model that is ready to speak. Requests leave nothing behind in it."""

    def __init__(
        self,
        parts: Parts,
        *,
        voices: Voices | None = None,
        usual_voice: str | None = None,
        device: str | None = None,
    ) -> None:
        """`usual_voice` speaks where a request names none; `device` overrides the config's."""
        self.config = parts.config
        self.voices = voices or Voices()
        self.usual_voice = usual_voice
        self.model = parts.bundle.model
        self.task = parts.task
        self.identity = parts.identity
        self.front_end = parts.front_end
        self.loras = Loras(self.model)
        self._options = parts.config.synthesis
        self._planner = Planner(parts)
        self._scribe = Scribe(
            self.model,
            self.task,
            self.front_end,
            self.languages,
            max(0.02, self._options.seconds_per_symbol[0]),
        )
        if self._options.threads:
            torch.set_num_threads(self._options.threads)  # of the process: torch knows no other
        self.device = find_device(device or self._options.device, option="synthesis.device")
        self.codec = place_codec(parts.codec, self.device)
        self._decoder = _decoder(parts, self.device)
        self._context = Context.of(
            self._options,
            self.codec,
            parts.bundle.vocabulary,
            levels=self._decoder.levels,
            read=0 if self._decoder.demasks else self.model.ar_levels,
        )

    @classmethod
    def open(
        cls,
        model: Path | str | None,
        registry: Registry,
        *,
        config: RunConfig | None = None,
        overrides: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        voices: Voices | None = None,
        device: str | None = None,
        task: str | None = None,
        loras: Sequence[str] = (),
        nar: Path | str | None = None,
    ) -> Synthesizer:
        """Load weights by path or installed name; None is the embedded model and its usual voice.

        `config` replaces the options of sampling, synthesis, text and codec that were saved with
        the weights; `overrides` (as of `--set`) count last. `nar`: further weights, which
        write the levels after the first. `loras`: files, or `FILE:STRENGTH`.
        """
        parts = gather(
            model, registry, config=config, overrides=overrides, environ=environ, task=task,
            nar=nar, paired=not loras,
        )  # fmt: skip
        voices = voices or Voices()
        usual = voices.default if model is None else None
        synthesizer = cls(parts, voices=voices, usual_voice=usual, device=device)
        for lora in loras:
            path, strength = with_strength(lora)
            synthesizer.loras.add(path, strength=strength)
        return synthesizer

    @classmethod
    def of(cls, bundle: Bundle, codec: Codec, *, voices: Voices | None = None) -> Synthesizer:
        """A model in memory, say one that is being trained."""
        return cls(Parts.of(bundle, codec), voices=voices)

    @property
    def languages(self) -> tuple[str, ...]:
        return self.config.text.languages

    @property
    def by_chance(self) -> bool:
        """Another seed may make a sentence go better that failed."""
        return self._decoder.by_chance

    def voice(self, source: VoiceLike | Clip, *, transcript: str = "", consent: str = "") -> Voice:
        """A voice to speak with often: a name, a recording, or a file that `Voice.save` wrote."""
        if isinstance(source, Clip):
            return self._encode(source, "a clip", transcript, consent)
        if isinstance(source, Voice):
            source.require(self.codec.identity)
            return source
        path = source if isinstance(source, Path) else Path(source).expanduser()
        known = str(source) in {entry.name for entry in self.voices.entries()}
        if path.is_file() and not known:
            return self._read(path, path.stem, transcript, consent)
        if path.is_dir() and not known:
            raise AudioError(
                f"{source} is a folder, not a recording", hint="give one of the files in it"
            )
        if isinstance(source, Path) or path.suffix or len(path.parts) > 1:
            raise AudioError(
                f"there is no file {source}",
                hint="check the path given as a voice",
            )
        entry = self.voices.get(source)
        allowed = consent or entry.consent or (entry.licence and f"licence: {entry.licence}")
        return self._read(entry.path, source, transcript or entry.text, allowed)

    def glue(self, sources: Sequence[VoiceLike]) -> Voice:
        """One voice of several recordings of the same speaker, each as long as the others."""
        whole = self.task.wants.transcript
        seconds = None if whole else self._options.prompt_seconds
        return glued([self.voice(source) for source in sources], seconds)

    def mix(self, sources: Sequence[tuple[VoiceLike, float]]) -> Voice:
        """A voice between several: the mean of their prompts' vectors, by weight."""
        return mixed([(self.voice(source), weight) for source, weight in sources])

    def synthesize(
        self,
        text: str | Request,
        *,
        voice: VoiceLike | None = None,
        seed: int | None = None,
        on_progress: OnProgress = lambda _: None,
    ) -> Result:
        """Say a text, or a `Request` with more options. The same seed gives the same audio.

        `voice` and `seed`, where given, count before those of the request.
        """
        stream = self.stream(text, voice=voice, seed=seed, on_progress=on_progress)
        stream.read()
        for _ in stream:
            pass
        return stream.result()

    def stream(
        self,
        text: str | Request,
        *,
        voice: VoiceLike | None = None,
        seed: int | None = None,
        on_progress: OnProgress = lambda _: None,
        keep_audio: bool = True,
    ) -> Stream:
        """Say a text piece by piece, as `synthesize` does.

        Without `keep_audio` memory stays flat, however long the text is: the result has no audio
        but the last chunk's.

        Mistakes in the request are raised here; a later sentence that cannot be spoken is one only
        when its turn comes, since it is read only then. `Stream.read` reads them all at once.
        """
        request = text if isinstance(text, Request) else Request(text)
        request = evolve(
            request,
            voice=request.voice if voice is None else voice,
            seed=request.seed if seed is None else seed,
        )
        take = self._take(request, keep_audio)
        return Stream(take, self._decoder, self._context, on_progress)

    def synthesize_batch(
        self,
        requests: Sequence[str | Request],
        *,
        on_sentences: Callable[[int, int], None] = lambda *_: None,
    ) -> list[Result | VallEError]:
        """Say many texts side by side, which is faster; gives results in the order of `requests`.

        A request that cannot be done has its error in its place. Codes are those of `synthesize`,
        up to rounding. `on_sentences` is told how many are written, and of how many.
        """
        batch = self._takes([r if isinstance(r, Request) else Request(r) for r in requests])
        ready = [take for take in batch if isinstance(take, Take)]
        total, done = sum(len(take.plan.pieces) for take in ready), 0
        for group in _groups(ready, self._options.batch_size, rolling=self._context.rolls):
            everything = self._decoder([self._context.follow(job, t.past) for t, job in group])
            for (take, _), spoken in zip(group, everything, strict=True):
                take.finish(spoken)
            done += len(group)
            on_sentences(done, total)
        return [take.result() if isinstance(take, Take) else take for take in batch]

    def _takes(self, requests: Sequence[Request]) -> list[Take | VallEError]:
        encoded: dict[str, Voice] = {}  # most jobs of a batch have the same few voices
        takes: list[Take | VallEError] = []
        for request in requests:
            try:
                name = request.voice
                if isinstance(name, (str, Path)) and name != NO_VOICE:
                    key = str(name)
                    encoded[key] = encoded.get(key) or self.voice(name)
                    request = evolve(request, voice=encoded[key])
                take = self._take(request)
                take.plan.lines()  # read here: what cannot be spoken is this request's own mistake
                takes.append(take)
            except VallEError as exc:
                takes.append(exc)
        return takes

    def transcribe(
        self, recording: str | Path | Clip, *, language: str | None = None
    ) -> TextResult:
        """What a recording says, in phonemes, by a model and a task that write text."""
        return self.write(recording=recording, language=language)

    def write(
        self,
        text: str = "",
        *,
        recording: str | Path | Clip | None = None,
        language: str | None = None,
    ) -> TextResult:
        """What a task writes that writes text: of a recording, or of another text."""
        if self.task.target != "text":
            raise ConfigError(
                f"the task {self.task.name} writes speech, not text",
                hint="choose one that writes text: task stt, if the model has learnt it",
            )
        codes = None if recording is None else self._recording(recording)
        return self._scribe(text, recording=codes, language=language)

    def _recording(self, source: str | Path | Clip) -> Codes:
        clip = source if isinstance(source, Clip) else Clip.read(source)
        if clip.seconds > self._options.max_seconds:
            raise AudioError(
                f"{clip.name} is too long: {clip.seconds:.2f} s, at most "
                f"{self._options.max_seconds:g} s are allowed (synthesis.max_seconds)",
                hint="cut it into shorter recordings; or allow more, if the model has heard more",
            )
        return encode(clip.mono().check(), self.codec)

    def _take(self, request: Request, keep_audio: bool = True) -> Take:
        if self.task.target != "response":
            text = self.task.target == "text"
            raise ConfigError(
                f"the task {self.task.name} writes {'text' if text else 'a length'}, not speech",
                hint="use write or transcribe, or choose another task"
                if text
                else "choose another task; this one serves sampling.level_0: demask by itself",
            )
        unused = self.task.wants.voice == "unused"
        usual = None if unused else self.usual_voice
        source = usual if request.voice is None else request.voice
        voice = None if source in (None, NO_VOICE) else self.voice(source)
        require_fit(
            self.task,
            text=bool(request.text.strip()) or self.task.wants.text == "needed",
            voice=voice is not None,
            input=request.input is not None,
            edit=request.edit is not None,
        )
        recording = None if request.input is None else self._recording(request.input)
        self._decoder.require_start(draft=request.draft is not None)
        draft = None if request.draft is None else self._recording(request.draft)
        plan = self._planner(request, voice, recording, draft)
        if loras := self.loras.provenance():
            plan = evolve(plan, provenance={**plan.provenance, "loras": loras})
        return Take(plan, self.codec, self._options.chunk_seconds, keep_audio)

    def _read(self, path: Path, name: str, transcript: str, consent: str) -> Voice:
        if path.suffix == ".safetensors":
            return self.voice(Voice.load(path))
        return self._encode(Clip.read(path), name, transcript, consent)

    def _encode(self, clip: Clip, name: str, transcript: str, consent: str) -> Voice:
        return Voice.of(
            clip,
            self.codec,
            name=name,
            seconds=LONGEST_SECONDS,
            decibels=self._options.prompt_decibels,
            transcript=transcript,
            consent=consent,
        )


def _groups(takes: Sequence[Take], size: int, *, rolling: bool) -> Iterator[list[tuple[Take, Job]]]:
    """What is decoded side by side. Where a sentence waits for the one before it: one a request."""
    rounds = [[(take, line.job) for take in takes for line in take.plan.lines()]]
    if rolling:
        most = max((len(take.plan.pieces) for take in takes), default=0)
        rounds = [
            [(take, take.plan.line(place).job) for take in takes if place < len(take.plan.pieces)]
            for place in range(most)
        ]
    for each in rounds:
        for start in range(0, len(each), size):
            yield each[start : start + size]


def _decoder(parts: Parts, device: torch.device) -> Decoder:
    """What writes codes, its models on the device."""
    options, rate = parts.config.synthesis, parts.codec.frame_rate
    model, refining = parts.bundle.model, parts.refining
    for each in (model, refining.model) if refining else (model,):
        each.to(device).eval()
    return Decoder(
        model,
        parts.task,
        parts.config.sampling,
        attempts=options.attempts,
        frame_rate=rate,
        levels=_levels(options.levels, (refining.model if refining else model).sizes.levels),
        window=BlockWindow.of(options.window_seconds, options.ahead_seconds, rate),
        length=parts.length,
        refining=refining,
        look_every=options.look_every,
        hold_end=options.hold_end,
        graphs=Graphs.of(options.graphs, model, wrapped=bool(options.wrappers)),
    )


def _levels(wanted: int, available: int) -> int:
    if wanted > available:
        raise ConfigError(
            f"synthesis.levels: {wanted} are wanted, the model has {available}",
            hint="set synthesis.levels: 0 for all",
        )
    return wanted or available
