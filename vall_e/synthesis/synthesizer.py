"""The synthesizer: from a text to audio. `docs/tour.md` lists the files to read with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import evolve

from vall_e.audio.clip import Clip
from vall_e.decoding.ar.cuda_graphs import Graphs
from vall_e.decoding.compatibility import REQUEST_RULES, RequestFacts, require, require_task
from vall_e.decoding.decoder import Decoder
from vall_e.decoding.nar.block_window import BlockWindow
from vall_e.device import find_device, place_codec
from vall_e.errors import ConfigError, VallEError
from vall_e.interfaces.codec import Codec
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.context import Context
from vall_e.synthesis.effects import Effects
from vall_e.synthesis.loras import Loras
from vall_e.synthesis.plan import Plan, Planner
from vall_e.synthesis.request import Request, VoiceLike
from vall_e.synthesis.result import Result, TextResult
from vall_e.synthesis.session import OnProgress, Session
from vall_e.synthesis.text_output import TextGenerator
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_encoder import VoiceEncoder
from vall_e.synthesis.voice_library import NO_VOICE, Voices
from vall_e.synthesis.voice_mixing import joined, mixed
from vall_e.weights.file import Bundle


class Synthesizer:
    """A model that is ready to speak; `vall_e.load` opens one.

    Requests change nothing in it, so several threads may use one at the same time and get the same
    audio as one after the other. `loras` is the exception: change it between requests.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        voices: Voices | None = None,
        default_voice: str | None = None,
        device: str | None = None,
    ) -> None:
        """`default_voice` speaks where a request names none; `device` overrides the config's."""
        self.config = parts.config
        self.voices = voices or Voices()
        self.default_voice = default_voice
        self.model = parts.bundle.model
        self.task = parts.task
        self.loras = Loras(self.model)
        options = parts.config.synthesis
        if options.threads:
            torch.set_num_threads(options.threads)  # of the process: torch has no smaller scope
        self.device = find_device(device or options.device, option="synthesis.device")
        self.codec = place_codec(parts.codec, self.device)
        self._parts = parts
        self._planner = Planner(parts)
        self._encoder = VoiceEncoder(
            self.codec, self.voices, options.prompt_decibels, options.max_seconds
        )
        self._decoder = _decoder(parts, self.device)
        self._effects = Effects.of(options.effects)
        self._context = Context.of(
            options,
            self.codec,
            parts.bundle.vocabulary,
            levels=self._decoder.levels,
            read=0 if self._decoder.level_0.masked else self.model.ar_levels,
        )

    @classmethod
    def of(cls, bundle: Bundle, codec: Codec, *, voices: Voices | None = None) -> Synthesizer:
        """For a model in memory, such as one that is being trained."""
        return cls(Parts.of(bundle, codec), voices=voices)

    def __repr__(self) -> str:
        name = self._parts.identity.get("model", {}).get("file", "a model in memory")
        voices = ", ".join(entry.name for entry in self.voices.entries()) or "none"
        return (
            f"<Synthesizer: {name}, task {self.task.name}, languages {', '.join(self.languages)}, "
            f"voices {voices}, {self.sample_rate} Hz, on {self.device}>"
        )

    @property
    def languages(self) -> tuple[str, ...]:
        return self.config.text.languages

    @property
    def sample_rate(self) -> int:
        """Samples per second of all audio that it makes."""
        return self.codec.sample_rate

    @property
    def deterministic(self) -> bool:
        """Every seed gives the same audio, so that another seed cannot mend a failed sentence."""
        return self._decoder.level_0.deterministic

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Hashes and versions of model, codec and options, as its results state them."""
        return self._parts.identity

    def phonemize(self, text: str, language: str | None = None) -> str:
        """The phonemes that the model would get for a text."""
        return self._parts.front_end.phonemes(text, language or self.languages[0])

    def voice(self, source: VoiceLike | Clip, *, transcript: str = "", consent: str = "") -> Voice:
        """Encode a voice for repeated use: a name, a recording, or a file that `Voice.save` wrote.

        Raises `AudioError` for a recording that cannot be used, or a name that is unknown.
        """
        return self._encoder.voice(source, transcript, consent)

    def join_voices(self, sources: Sequence[VoiceLike]) -> Voice:
        """One voice of several recordings of the same speaker, with an equal part of each."""
        whole = self.task.wants.transcript
        seconds = None if whole else self.config.synthesis.prompt_seconds
        return joined([self.voice(source) for source in sources], seconds)

    def mix_voices(self, sources: Sequence[tuple[VoiceLike, float]]) -> Voice:
        """A voice between several: the mean of their prompts' vectors, by weight."""
        return mixed([(self.voice(source), weight) for source, weight in sources])

    def synthesize(
        self,
        text: str | Request,
        *,
        voice: VoiceLike | None = None,
        language: str | None = None,
        seed: int | None = None,
        max_seconds: float | None = None,
        speed: float | None = None,
        on_progress: OnProgress = lambda _: None,
    ) -> Result:
        """Say a text. The same seed gives the same audio.

        `voice`: a name, a recording or a `Voice`. `language`: a code such as `en-us`.
        `max_seconds`: longest duration of each sentence. `speed`: tempo, 1 is the voice's own.
        `text` may be a `Request`, which has more options; keywords then replace its own.

        Raises `ConfigError`, `TextError` or `AudioError` for what cannot be used.
        """
        request = _request(text, voice, language, seed, max_seconds, speed)
        session = self._session(request, on_progress)
        session.read()
        for _ in session:
            pass
        return session.result()

    def stream(
        self,
        text: str | Request,
        *,
        voice: VoiceLike | None = None,
        language: str | None = None,
        seed: int | None = None,
        max_seconds: float | None = None,
        speed: float | None = None,
        on_progress: OnProgress = lambda _: None,
        keep_audio: bool = True,
    ) -> Session:
        """As `synthesize`, in chunks of audio as soon as they are made.

        Without `keep_audio` memory stays flat, however long the text is: the result then has no
        audio but the last chunk's.

        Errors of the request and of its first sentence are raised here. A later sentence that
        cannot be spoken raises when its turn comes; `Session.read` checks all of them at once.
        """
        request = _request(text, voice, language, seed, max_seconds, speed)
        return self._session(request, on_progress, keep_audio)

    def synthesize_batch(
        self,
        requests: Sequence[str | Request],
        *,
        on_sentences: Callable[[int, int], None] = lambda *_: None,
    ) -> list[Result | VallEError]:
        """Say many texts side by side, which is faster; results are in the order of `requests`.

        A request that cannot be served has its error in its place. Codes are those of `synthesize`,
        up to rounding. `on_sentences` gets the number of sentences done, and of all.
        """
        batch = self._sessions(requests)
        ready = [session for session in batch if isinstance(session, Session)]
        total, done = sum(len(session.plan) for session in ready), 0
        size = self.config.synthesis.batch_size
        for group in _groups(ready, size, sequential=self._context.sequential):
            decoded = self._decoder([session.job(place) for session, place in group])
            for (session, _), each in zip(group, decoded, strict=True):
                session.add(each)
            done += len(group)
            on_sentences(done, total)
        return [each.result() if isinstance(each, Session) else each for each in batch]

    def transcribe(
        self, recording: str | Path | Clip, *, language: str | None = None
    ) -> TextResult:
        """The phonemes of a recording, by a model and task that write text (task `stt`)."""
        return self.generate_text(recording=recording, language=language)

    def generate_text(
        self,
        text: str = "",
        *,
        recording: str | Path | Clip | None = None,
        language: str | None = None,
    ) -> TextResult:
        """The output of a task that writes text, for a recording or for another text."""
        require_task(self.task, writes="text")
        codes = None if recording is None else self._encoder.recording(recording)
        return TextGenerator.of(self._parts)(text, recording=codes, language=language)

    def _session(
        self, request: Request, on_progress: OnProgress, keep_audio: bool = True
    ) -> Session:
        return Session(
            self._plan(request),
            self._decoder,
            self.codec,
            self._context,
            chunk_seconds=self.config.synthesis.chunk_seconds,
            effects=self._effects,
            keep_audio=keep_audio,
            on_progress=on_progress,
        )

    def _sessions(self, requests: Sequence[str | Request]) -> list[Session | VallEError]:
        encoded: dict[str, Voice] = {}  # most requests of a batch share a few voices
        sessions: list[Session | VallEError] = []
        for each in requests:
            try:
                request = each if isinstance(each, Request) else Request(each)
                name = request.voice
                if isinstance(name, (str, Path)) and name != NO_VOICE:
                    if str(name) not in encoded:
                        encoded[str(name)] = self.voice(name)
                    request = evolve(request, voice=encoded[str(name)])
                session = self._session(request, lambda _: None)
                session.read()  # what cannot be spoken is an error of this request alone
                sessions.append(session)
            except VallEError as exc:
                sessions.append(exc)
        return sessions

    def _plan(self, request: Request) -> Plan:
        require_task(self.task, writes="response")
        voice = self._voice_of(request)
        require(self._facts(request, voice), REQUEST_RULES)
        recording = None if request.input is None else self._encoder.recording(request.input)
        draft = None if request.draft is None else self._encoder.recording(request.draft)
        plan = self._planner(request, voice, recording, draft)
        if loras := self.loras.provenance():
            plan.provenance = {**plan.provenance, "loras": loras}
        if self._effects.names:
            plan.provenance = {**plan.provenance, "effects": self._effects.names}
        return plan

    def _voice_of(self, request: Request) -> Voice | None:
        default = None if self.task.wants.voice == "unused" else self.default_voice
        source = default if request.voice is None else request.voice
        return None if source in (None, NO_VOICE) else self.voice(source)

    def _facts(self, request: Request, voice: Voice | None) -> RequestFacts:
        return RequestFacts(
            task=self.task,
            model=self.model,
            masked=self._decoder.level_0.masked,
            start=self.config.sampling.demask.start,
            text=bool(request.text.strip()) or self.task.wants.text == "needed",
            voice=voice is not None,
            input=request.input is not None,
            edit=request.edit is not None,
            draft=request.draft is not None,
            mixture=bool(voice and voice.mixture),
            transcript=voice is None or bool(voice.transcript),
        )


def _request(
    text: str | Request,
    voice: VoiceLike | None,
    language: str | None,
    seed: int | None,
    max_seconds: float | None,
    speed: float | None,
) -> Request:
    """The request, with the keywords that were given."""
    request = text if isinstance(text, Request) else Request(text)
    return evolve(
        request,
        voice=request.voice if voice is None else voice,
        language=request.language if language is None else language,
        seed=request.seed if seed is None else seed,
        max_seconds=request.max_seconds if max_seconds is None else max_seconds,
        speed=request.speed if speed is None else speed,
    )


def _groups(
    sessions: Sequence[Session], size: int, *, sequential: bool
) -> Iterator[list[tuple[Session, int]]]:
    """Sentences that are decoded side by side; one of a session where each needs the one before."""
    rounds = [[(session, place) for session in sessions for place in range(len(session.plan))]]
    if sequential:
        most = max((len(session.plan) for session in sessions), default=0)
        rounds = [[(s, place) for s in sessions if place < len(s.plan)] for place in range(most)]
    for each in rounds:
        for start in range(0, len(each), size):
            yield each[start : start + size]


def _decoder(parts: Parts, device: torch.device) -> Decoder:
    """The decoder of the parts, its models on the device."""
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
            f"synthesis.levels is {wanted}, the model has {available}",
            hint="set synthesis.levels: 0 for all",
        )
    return wanted or available
