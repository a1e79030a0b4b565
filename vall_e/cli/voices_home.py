"""Where the command line stores a user's voices."""

from __future__ import annotations

from pathlib import Path

from vall_e.cli.app import App
from vall_e.synthesis.voice_library import Voices, platform_home


def home(app: App) -> Path:
    """The folder given by `VALL_E_HOME`, or the platform's default."""
    given = app.environ.get("VALL_E_HOME", "")
    return Path(given).expanduser() if given else platform_home()


def voices_of(app: App) -> Voices:
    return Voices(home(app))
