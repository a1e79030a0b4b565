"""Tasks that ship in the core. No torch here."""

from __future__ import annotations

from attrs import frozen

from vall_e.plugin import Component, Task


@frozen
class TtsConfig:
    language: bool = True
    """Tell the model the language (models of one language do without)."""


def build_tts(config: TtsConfig) -> Task:
    from vall_e.tasks.tts import Tts

    return Tts(config)


TASKS = (
    Component(
        name="tts",
        config=TtsConfig,
        build=build_tts,
        summary="says a text in the voice of a prompt",
        paper="https://arxiv.org/abs/2301.02111",
    ),
)
