"""From what a user names as a voice to codes: a name, a recording, a clip or a voice file."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from vall_e.audio.clip import Clip
from vall_e.audio.codes import Codes
from vall_e.codec.encode import encode, require_codes_of
from vall_e.errors import AudioError
from vall_e.interfaces.codec import Codec
from vall_e.synthesis.request import VoiceLike
from vall_e.synthesis.voice import Voice
from vall_e.synthesis.voice_library import LONGEST_SECONDS, Voices


@frozen(eq=False)
class VoiceEncoder:
    """Encodes voices and other recordings with one codec."""

    codec: Codec
    voices: Voices
    decibels: tuple[float, float]
    """Lowest and highest level of a voice's speech, in dBFS; others are brought to the nearer."""
    max_seconds: float
    """Longest recording that a task may work on."""

    def voice(self, source: VoiceLike | Clip, transcript: str = "", consent: str = "") -> Voice:
        """Raises `AudioError` for a recording that cannot be used, or a name that is unknown."""
        if isinstance(source, Clip):
            return self._encode(source, "a clip", transcript, consent)
        if isinstance(source, Voice):
            source.require(self.codec.identity)
            for codes in (source.codes, *(codes for codes, _ in source.mixture)):
                require_codes_of(self.codec, codes)
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
            raise AudioError(f"there is no file {source}", hint="check the path given as a voice")
        entry = self.voices.get(source)
        allowed = consent or entry.consent or (entry.licence and f"licence: {entry.licence}")
        return self._read(entry.path, source, transcript or entry.text, allowed)

    def recording(self, source: str | Path | Clip) -> Codes:
        """The codes of a recording that a task works on. Raises `AudioError` if it is too long."""
        clip = source if isinstance(source, Clip) else Clip.read(source)
        if clip.seconds > self.max_seconds:
            raise AudioError(
                f"{clip.name} is too long: {clip.seconds:.2f} s, at most {self.max_seconds:g} s "
                "are allowed (synthesis.max_seconds)",
                hint="cut it into shorter recordings; or raise synthesis.max_seconds if the model "
                "was trained on longer recordings",
            )
        return encode(clip.mono().check(), self.codec)

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
            decibels=self.decibels,
            transcript=transcript,
            consent=consent,
        )
