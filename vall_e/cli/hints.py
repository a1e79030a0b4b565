"""Errors of the library in the words of the command line. Torch-free."""

from __future__ import annotations

import re

FLAGS = {"model": "-m", "config": "-c", "overrides": "--set", "recording": "--input"}
"""Options whose name is not the argument's."""


def in_options(text: str) -> str:
    """The text with the options for the arguments that it names: `voice=` becomes --voice."""
    return re.sub(r"`(\w+)=`", lambda found: _flag(found[1]), text)


def _flag(argument: str) -> str:
    return FLAGS.get(argument, f"--{argument.replace('_', '-')}")
