"""What a field says about its value beyond the type: default component, path. Torch-free."""

from __future__ import annotations

CHOSEN = "vall_e.chosen"
PATH = "vall_e.path"
OR_NAME = "or name"


def chosen(default: str | tuple[str, ...]) -> dict[str, object]:
    """Mark a field with its default component or components.

    They are given by name, since there is no registry at import time to create a default value.
    """
    return {CHOSEN: default}


def path() -> dict[str, object]:
    """Mark a field of text as a path; one of type `pathlib.Path` needs no mark."""
    return {PATH: True}


def path_or_name() -> dict[str, object]:
    """Mark a field of text as a path or the name of an installed model. Empty: neither."""
    return {PATH: OR_NAME}


def is_name(text: str) -> bool:
    """Whether a text that may be a path or a name is a name."""
    return not ("/" in text or "\\" in text or text.endswith(".safetensors"))
