"""What every exporter must do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from vall_e.discovery import discover
from vall_e.errors import VallEError
from vall_e.interfaces.export import Exporter
from vall_e.model.lora import Terms, attach, places
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.fakes.staircase_codec import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import Bundle


class ExporterContract:
    """`make` builds the exporter.

    `sections` are those of the config of a model that it can write, where that is not any model;
    `adapted` says that it writes adapters, so the model has some.
    """

    sections: Mapping[str, object] = MappingProxyType({})
    adapted: bool = False

    def make(self) -> Exporter:
        raise NotImplementedError

    @pytest.fixture
    def bundle(self) -> Bundle:
        sections: dict[str, Any] = dict(self.sections)
        registry = discover(load_plugins=bool(sections))
        made = tiny_bundle(registry, StaircaseCodec(), **sections)
        if self.adapted:
            attach(made.model, places(made.model), Terms(rank=2, alpha=4.0))
        return made

    def test_names_its_suffix(self) -> None:
        exporter = self.make()
        assert isinstance(exporter, Exporter)
        assert exporter.suffix.startswith(".")

    def test_writes_one_file_and_nothing_beside_it(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        path = tmp_path / f"model{exporter.suffix}"
        exporter(bundle, path)
        assert [file.name for file in tmp_path.iterdir()] == [path.name]
        assert path.stat().st_size > 0

    def test_writes_over_an_older_file(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        path = tmp_path / f"model{exporter.suffix}"
        path.write_bytes(b"old")
        exporter(bundle, path)
        assert path.read_bytes() != b"old"

    def test_leaves_the_model_as_it_is(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        before = {name: tensor.clone() for name, tensor in bundle.model.state_dict().items()}
        exporter(bundle, tmp_path / f"model{exporter.suffix}")
        for name, tensor in bundle.model.state_dict().items():
            assert tensor.dtype == before[name].dtype
            assert tensor.equal(before[name]), name

    def test_other_weights_make_another_file(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter, files = self.make(), []
        for name in ("first", "second"):
            path = tmp_path / f"{name}{exporter.suffix}"
            exporter(bundle, path)
            files.append(path.read_bytes())
            for parameter in bundle.model.parameters():
                parameter.data.add_(1)
        assert files[0] != files[1]

    def test_a_file_that_cannot_be_written_leaves_nothing(
        self, bundle: Bundle, tmp_path: Path
    ) -> None:
        exporter = self.make()
        path = tmp_path / f"model{exporter.suffix}"
        path.mkdir()
        with pytest.raises((OSError, VallEError)):
            exporter(bundle, path)
        assert [file.name for file in tmp_path.rglob("*")] == [path.name]

    def test_leaves_the_mode_as_it_is(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        for training in (True, False):
            exporter(
                attrs.evolve(bundle, model=bundle.model.train(training)),
                tmp_path / f"{training}{exporter.suffix}",
            )
            assert bundle.model.training == training
            assert all(p.requires_grad for p in bundle.model.parameters())
