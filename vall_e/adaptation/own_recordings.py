"""The recordings of one speaker, with texts: found, transcribed if necessary, and held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from vall_e.adaptation.options import HEARD, AdaptOptions
from vall_e.config.choices import TranscriberChoice
from vall_e.config.component_option import choose
from vall_e.data.ingest.recordings import Recording, find_recordings
from vall_e.data.ingest.transcribe import recordings_in, transcribe
from vall_e.errors import DataError, UnavailableError
from vall_e.interfaces.transcriber import Transcriber
from vall_e.registry import Registry

TRANSCRIBERS = ("faster-whisper", "pocketsphinx")
"""Tried in this order."""
FEWEST = 4
"""Recordings: two to learn from, two to choose by."""
SHARE, MOST = 0.1, 20
"""Of the recordings, this share is held out, but at most so many."""


def own_recordings(
    options: AdaptOptions, registry: Registry, say: Callable[[str], None]
) -> list[Recording]:
    """Those with a text. Raises `DataError` unless they are of one speaker, and enough."""
    found = _find(options, options.transcripts)
    if not any(recording.text for recording in found):
        heard = _transcribed(options, registry, say)
        found = _find(options, heard)
    spoken = [recording for recording in found if recording.text and not recording.problem]
    _require_one_speaker(spoken, options)
    if len(spoken) < FEWEST:
        raise DataError(
            f"{options.recordings}: {len(spoken)} of {len(found)} recordings have a text; "
            f"at least {FEWEST} are needed",
            hint="add recordings of a sentence or two with their texts: five minutes or more "
            "in total",
        )
    return spoken


def held_out_of(recordings: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Those to learn from, and those spread evenly over all that are held out."""
    count = min(MOST, max(2, round(SHARE * len(recordings))))
    places = {(2 * place + 1) * len(recordings) // (2 * count) for place in range(count)}
    learn = [one for place, one in enumerate(recordings) if place not in places]
    return learn, [recordings[place] for place in sorted(places)]


def _find(options: AdaptOptions, transcripts: Path | None) -> list[Recording]:
    found = find_recordings(options.recordings, transcripts=transcripts)
    ours = [one for one in found if options.speaker in (None, one.speaker)]
    if not ours:
        names = ", ".join(sorted({one.speaker for one in found})[:10])
        raise DataError(
            f"{options.recordings} has no recording of the speaker {options.speaker!r}",
            hint=f"there are: {names}",
        )
    return ours


def _transcribed(options: AdaptOptions, registry: Registry, say: Callable[[str], None]) -> Path:
    """The texts that a recognizer hears, in the working folder."""
    name, hear = _transcriber(options, registry)
    target = options.work / HEARD
    names = recordings_in(options.recordings)
    say(f"no texts: {name} transcribes {len(names)} recordings into {target}")
    report = transcribe(
        options.recordings, names, target, lambda clip: hear(clip, language=options.language)
    )
    for path, reason in report.failed:
        say(f"not transcribed: {path}: {reason}")
    say(f"A voice learns what is wrong in its texts: read {target}, correct it, and start again.")
    return target


def _transcriber(options: AdaptOptions, registry: Registry) -> tuple[str, Transcriber]:
    missing: list[str] = []
    for name in [options.transcriber] if options.transcriber else TRANSCRIBERS:
        try:
            choice = choose(name, TranscriberChoice, registry, source="--transcriber")
            return choice.name, choice.build(device="cpu")
        except UnavailableError as exc:
            missing.append(f"{exc.message} ({exc.hint})")
    raise DataError(
        f"the recordings in {options.recordings} have no texts, and no transcriber works here: "
        + "; ".join(missing),
        hint="write each text into a .txt file beside its recording, or all into transcripts.tsv "
        "with the columns path and text",
    )


def _require_one_speaker(recordings: Sequence[Recording], options: AdaptOptions) -> None:
    counts = Counter(recording.speaker for recording in recordings)
    if len(counts) > 1:
        listed = ", ".join(f"{name} ({count})" for name, count in counts.most_common(8))
        raise DataError(
            f"{options.recordings} has recordings of {len(counts)} speakers: {listed}",
            hint=f"choose one: --speaker {counts.most_common(1)[0][0]}; without a table, each "
            "folder counts as a speaker",
        )
