"""Error messages of the library in the terms of the command line. Torch-free."""

from __future__ import annotations

import re

FLAGS = {
    "model": "-m",
    "loras": "--lora",
    "config": "-c",
    "overrides": "--set",
    "recording": "--input",
}
"""Options with another name than the argument."""


def in_options(text: str) -> str:
    """The text with option names in place of argument names: `voice=` becomes --voice."""
    return re.sub(r"`(\w+)=`", lambda found: _flag(found[1]), text)


def _flag(argument: str) -> str:
    return FLAGS.get(argument, f"--{argument.replace('_', '-')}")
