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
        path = self.make()
        assert path.is_file(), f"{path} is not a file"

    def test_contains_all_that_synthesis_needs(self) -> None:
        bundle = load(self.make(), discover())
        assert bundle.codec, "the weights do not name their codec"
        assert len(bundle.vocabulary) > 0, "the weights have no vocabulary"
        assert not bundle.model.training, "the model is not in eval mode"

    def test_building_again_gives_the_same_file(self) -> None:
        first, second = self.make(), self.make()
        assert first == second, f"`build` returns {first}, then {second}"
