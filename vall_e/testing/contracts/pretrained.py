"""What the core relies on in a pretrained model."""

from __future__ import annotations

from pathlib import Path

from vall_e.discovery import discover
from vall_e.weights.file import load


class ModelContract:
    """`make` returns the path of the weights, as the component's `build` does."""

    def make(self) -> Path:
        raise NotImplementedError

    def test_is_a_file_on_this_machine(self) -> None:
        assert self.make().is_file()

    def test_brings_all_that_speaking_needs(self) -> None:
        bundle = load(self.make(), discover())
        assert bundle.codec
        assert len(bundle.vocabulary) > 0
        assert not bundle.model.training

    def test_asking_again_gives_the_same_file(self) -> None:
        assert self.make() == self.make()
