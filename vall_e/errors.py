"""Errors shown to users of VALL-E, and the exit code of each.

* VallEError                     1
  x ConfigError                  3   the YAML does not describe a valid run
  x PluginError                  4   a plugin is broken, or two plugins claim one name
    + UnknownComponentError      4   no installed plugin offers that name
    + UnavailableError           4   the component exists, but cannot run on this machine
  x AudioError                   5   a recording does not suit the codec or the task
  x TextError                    6   a text is empty, or cannot be spoken in that language
  x CheckpointError              7   weights and config do not match, or a file is damaged
  x DataError                    8   a dataset is empty, incomplete or of another codec
  x TrainingError                9   training cannot continue (e.g. a loss that is not a number)
  x DownloadError               10   weights are missing, and were not or could not be downloaded

Exit code 2 is click's: the command line itself is wrong. Within a YAML file or `--set`, every
mistake is a ConfigError, even an unknown component. The command line prints a VallEError in two
lines, without a traceback; an OSError that reports a restriction of the machine (permissions, a
full disk) likewise, with 1. Any other exception is a bug in vall-e or in a plugin, exits with 70
and keeps its traceback.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AudioError",
    "CheckpointError",
    "ConfigError",
    "DataError",
    "DownloadError",
    "PluginError",
    "TextError",
    "TrainingError",
    "UnavailableError",
    "UnknownComponentError",
    "VallEError",
]


class VallEError(Exception):
    """An error, with what the user can do about it in `hint`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(VallEError):
    """The YAML does not describe a valid run."""

    exit_code = 3


class PluginError(VallEError):
    """A plugin is broken, or two plugins claim one name."""

    exit_code = 4


class UnknownComponentError(PluginError):
    """No installed plugin offers a component of that name."""


class UnavailableError(PluginError):
    """The component exists, but cannot run here; the message says why."""


class AudioError(VallEError):
    """A recording does not suit the codec or the task."""

    exit_code = 5


class TextError(VallEError):
    """A text is empty, or cannot be spoken in that language."""

    exit_code = 6


class CheckpointError(VallEError):
    """Weights and config do not match, or a file is damaged."""

    exit_code = 7


class DataError(VallEError):
    """A dataset is empty, incomplete, or was made with another codec."""

    exit_code = 8


class TrainingError(VallEError):
    """Training cannot continue."""

    exit_code = 9


class DownloadError(VallEError):
    """Weights are not on this machine, and were not or could not be downloaded."""

    exit_code = 10
