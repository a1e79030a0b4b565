"""One request for speech: a text, a voice and what may be set for it alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from vall_e.audio.clip import Clip
from vall_e.errors import ConfigError
from vall_e.synthesis.voice import Voice

if TYPE_CHECKING:
    from vall_e.interfaces.task import InputUse, Task

VoiceLike = Voice | Path | str
"""A voice; the path of a recording or a voice file; or the name of a voice."""


@frozen(eq=False)
class Request:
    """What to say, and how."""

    text: str
    voice: VoiceLike | None = field(default=None, kw_only=True)
    """None: the model's usual voice; "none": no prompt, so a voice of the model's choice."""
    seed: int | None = field(default=None, kw_only=True)
    """None: a new one, which the result tells."""
    language: str | None = field(default=None, kw_only=True)
    """None: the model's first."""
    max_seconds: float | None = field(default=None, kw_only=True)
    """For each sentence; None: as configured."""
    input: str | Path | Clip | None = field(default=None, kw_only=True)
    """The recording that the task works on; None for tasks that need none."""
    edit: tuple[float, float] | None = field(default=None, kw_only=True)
    """From which second of `input` to which it is said anew, for tasks that edit speech."""
    draft: str | Path | Clip | None = field(default=None, kw_only=True)
    """A recording whose level 0 is where filling in starts from, at `sampling.demask.start`."""


GIVE = {
    "text": "give the text that is to be said",
    "voice": "name one with --voice: a recording, a voice file or a name",
    "input": "name it with --input",
    "edit": "say from which second to which, with --edit 1.2-1.9",
}
CALLED = {
    "text": "a text",
    "voice": "a voice",
    "input": "a recording to work on",
    "edit": "a part of the recording that is to be said anew",
}


def require_fit(
    task: Task,
    *,
    text: bool,
    voice: bool,
    input: bool,  # noqa: A002
    edit: bool = False,
) -> None:
    """Raise `ConfigError` if something is missing, or would be left unheard."""
    given = {"text": text, "voice": voice, "input": input, "edit": edit}
    uses: dict[str, InputUse] = {
        "text": task.wants.text,
        "voice": task.wants.voice,
        "input": task.wants.input,
        "edit": "needed" if task.wants.edit else "unused",
    }
    for name, use in uses.items():
        if use == "needed" and not given[name]:
            raise ConfigError(f"the task {task.name} needs {CALLED[name]}", hint=GIVE[name])
        if use == "unused" and given[name]:
            raise ConfigError(
                f"the task {task.name} makes no use of {CALLED[name]}",
                hint="leave it out, or choose another task with --task",
            )


def require_transcript(task: Task, transcript: str) -> None:
    """Raise `ConfigError` if the task must know what the voice's recording says, and does not."""
    if task.wants.transcript and not transcript:
        raise ConfigError(
            f"the task {task.name} needs to know what the voice's recording says",
            hint="give its words with --transcript",
        )
