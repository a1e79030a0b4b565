"""The engines: commands that write a wav file, and hibari, a Python package."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import soundfile as sf
from attrs import frozen
from postprocess import Samples, finish
from speakers import Engine, Speaker

from vall_e.errors import UnavailableError

if TYPE_CHECKING:
    from hibari import Hibari

INSTALL = (
    "apt-get install espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts"
)
INSTALL_HIBARI = "pip install hibari-tts==0.2.1"
HIBARI_RATE = 24_000
COMMANDS: dict[Engine, str] = {
    "espeak": "espeak-ng",
    "flite": "flite",
    "festival": "text2wave",
}
FLITE_HERTZ = {"slt": 170, "rms": 105, "awb": 130, "kal16": 105}
"""Mean pitch of the voices."""
ESPEAK_DATA = ("/usr/lib/*/espeak-ng-data", "/usr/share/espeak-ng-data")
LONGEST_SECONDS = 60
"""Time limit of an engine for one sentence."""


class EngineError(RuntimeError):
    """An engine could not synthesize a sentence; it may succeed with others."""


@frozen
class Engines:
    """All engines of these speakers. `folder` is for files that the engines read and write."""

    folder: Path
    hibari: Hibari | None = None
    """The voice of the speakers whose engine is hibari; loaded once."""

    @classmethod
    def of(cls, speakers: Iterable[Speaker], folder: Path) -> Engines:
        """Raise `UnavailableError` if a command or a voice is not installed."""
        speakers = list({speaker.id: speaker for speaker in speakers}.values())
        used = {speaker.engine for speaker in speakers}
        needed = sorted(COMMANDS[engine] for engine in used if engine in COMMANDS)
        if missing := [command for command in needed if not shutil.which(command)]:
            raise UnavailableError(f"not installed: {', '.join(missing)}", hint=INSTALL)
        engines = cls(folder, _load_hibari() if "hibari" in used else None)
        variants = [speaker for speaker in speakers if speaker.engine == "espeak"]
        if variants:
            _write_variants(variants, folder)
        engines._try(speakers)
        return engines

    def __call__(self, speaker: Speaker, text: str, name: str) -> Samples:
        """Synthesize a text; returns a finished recording. `name` must be unique to the thread."""
        if self.hibari and speaker.engine == "hibari":
            samples = self.hibari(text, speed=1 / _stretch(speaker), seed=0)
            return finish(samples, HIBARI_RATE, warp=speaker.warp)
        wav = self.folder / f"{name}.wav"
        script = self.folder / f"{name}.txt"
        script.write_text(text, encoding="utf-8")
        try:
            _run(self._command(speaker, text, script, wav), wav)
            samples, rate = sf.read(wav, dtype="float32", always_2d=True)
        except (OSError, sf.LibsndfileError, subprocess.SubprocessError) as exc:
            raise EngineError(f"{speaker.id}: {exc}") from exc
        finally:
            wav.unlink(missing_ok=True)
            script.unlink()
        return finish(samples.mean(axis=1), rate, warp=speaker.warp)

    def _try(self, speakers: Iterable[Speaker]) -> None:
        """Test each voice, since a voice can be missing although its engine is not."""
        for speaker in {(s.engine, s.voice, s.accent): s for s in speakers}.values():
            try:
                self(speaker, "Hello there.", "try")
            except (EngineError, ValueError) as exc:
                voice = speaker.voice or speaker.accent
                raise UnavailableError(
                    f"{speaker.engine} cannot speak with the voice {voice}: {exc}", hint=INSTALL
                ) from exc

    def _command(self, speaker: Speaker, text: str, script: Path, wav: Path) -> list[str]:
        stretch = f"{_stretch(speaker):.3f}"
        if speaker.engine == "flite":
            pitch = FLITE_HERTZ[speaker.voice] * speaker.f0
            settings = [f"duration_stretch={stretch}", f"int_f0_target_mean={pitch:.1f}"]
            sets = [word for setting in settings for word in ("--setf", setting)]
            return ["flite", "-voice", speaker.voice, *sets, "-t", text, "-o", str(wav)]
        if speaker.engine == "festival":
            lines = [f"({speaker.voice})", f"(Parameter.set 'Duration_Stretch {stretch})"]
            evals = [word for line in lines for word in ("-eval", line)]
            return ["text2wave", *evals, str(script), "-o", str(wav)]
        voice = ["-v", f"{speaker.accent}+{speaker.id}", "-s", str(speaker.wpm)]
        options = [f"--path={self.folder}", *voice, "-g", str(speaker.gap), "-w", str(wav)]
        return ["espeak-ng", *options, "--", text]


def _stretch(speaker: Speaker) -> float:
    """Duration in multiples of the engine's: warping shortens by `warp`, which is undone here."""
    return speaker.warp * speaker.rate


def _load_hibari() -> Hibari:
    try:
        from hibari import Hibari
    except ImportError as exc:
        raise UnavailableError("not installed: hibari", hint=INSTALL_HIBARI) from exc
    return Hibari(threads=1)


def _run(command: list[str], wav: Path) -> None:
    done = subprocess.run(  # noqa: S603  no shell; the text is one argument
        command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
    )
    if done.returncode or not wav.exists():
        raise OSError(done.stderr.strip()[:200] or f"{command[0]} wrote nothing")


def _write_variants(speakers: Iterable[Speaker], folder: Path) -> None:
    """A data folder for espeak: links to the installed one, and the speakers' voice files."""
    found = [path for pattern in ESPEAK_DATA for path in Path("/").glob(pattern[1:])]
    if not found:
        raise UnavailableError("espeak-ng's data is not where Debian puts it", hint=INSTALL)
    voices = folder / "espeak-ng-data" / "voices"
    (voices / "!v").mkdir(parents=True, exist_ok=True)
    for source, target in ((found[0], voices.parent), (found[0] / "voices", voices)):
        for path in source.iterdir():
            if not (target / path.name).exists():
                (target / path.name).symlink_to(path)
    for speaker in speakers:
        (voices / "!v" / speaker.id).write_text(speaker.variant, encoding="utf-8")
