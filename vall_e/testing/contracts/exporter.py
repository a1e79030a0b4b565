"""What every exporter must do."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np
import torch

from vall_e.discovery import discover
from vall_e.errors import VallEError
from vall_e.interfaces.export import Exporter
from vall_e.interfaces.opening import Opening
from vall_e.model.lora import Terms, attach, places
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_equal, require_error
from vall_e.testing.fakes.staircase_codec import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import Bundle


class ExporterContract:
    """`make` builds the exporter.

    `sections` are config sections of a model that it can write, if it cannot write every model;
    `adapted` says that it writes adapters, so the model gets some.
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
        assert isinstance(exporter, Exporter), "it lacks `suffix` or `__call__`"
        assert exporter.suffix.startswith("."), (
            f"suffix is {exporter.suffix!r}: begin it with a dot"
        )

    def test_writes_exactly_one_file(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        path = tmp_path / f"model{exporter.suffix}"
        exporter(bundle, path)
        names = [file.name for file in tmp_path.iterdir()]
        assert names == [path.name], f"the folder has {names} after exporting {path.name}"
        assert path.stat().st_size > 0, "the file is empty"

    def test_replaces_an_older_file(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        path = tmp_path / f"model{exporter.suffix}"
        path.write_bytes(b"old")
        exporter(bundle, path)
        assert path.read_bytes() != b"old", "an existing file was not replaced"

    def test_does_not_change_the_model(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        before = {name: tensor.clone() for name, tensor in bundle.model.state_dict().items()}
        exporter(bundle, tmp_path / f"model{exporter.suffix}")
        for name, tensor in bundle.model.state_dict().items():
            require_equal(
                tensor, before[name], f"exporting changed the model's {name}: work on a copy"
            )

    def test_different_weights_give_different_files(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter, files = self.make(), []
        for name in ("first", "second"):
            path = tmp_path / f"{name}{exporter.suffix}"
            exporter(bundle, path)
            files.append(path.read_bytes())
            for parameter in bundle.model.parameters():
                parameter.data.add_(1)
        assert files[0] != files[1], "different weights give the same file: are they cached?"

    def test_a_file_that_cannot_be_written_leaves_nothing(
        self, bundle: Bundle, tmp_path: Path
    ) -> None:
        exporter = self.make()
        path = tmp_path / f"model{exporter.suffix}"
        path.mkdir()
        message = "the file could not be written, but no error says so"
        with require_error((OSError, VallEError), message):
            exporter(bundle, path)
        names = [file.name for file in tmp_path.rglob("*")]
        assert names == [path.name], f"a failed export left {names}: remove temporary files"

    def test_opens_what_it_wrote(self, bundle: Bundle, tmp_path: Path) -> None:
        """For one with `opens` and `read`: then `-m` takes its files."""
        exporter = _opening(self.make())
        path = tmp_path / f"model{exporter.suffix}"
        self.make()(bundle, path)
        assert exporter.opens(path), "`opens` denies a file that it wrote"
        metadata, tensors = exporter.read(path)
        assert dict(metadata) == bundle.metadata(), "`read` gives other metadata than was written"
        wanted = bundle.tensors()
        assert tensors.keys() == wanted.keys(), (
            f"`read` gives other tensors: {sorted(tensors.keys() ^ wanted.keys())[:5]}"
        )
        for name, tensor in wanted.items():
            require_equal(tensors[name], tensor, f"`read` gives another {name} than was written")

    def test_opens_no_other_file(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = _opening(self.make())
        path = tmp_path / f"other{exporter.suffix}"
        for what, content in (
            ("an empty file", b""),
            ("text", b"hello " * 99),
            ("zeros", b"\0" * 99),
        ):
            path.write_bytes(content)
            assert not exporter.opens(path), f"`opens` takes {what} for its own"

    def test_opening_runs_no_pickle(self, bundle: Bundle, tmp_path: Path) -> None:
        """Weights come from strangers."""
        exporter = _opening(self.make())
        for number, bomb in enumerate(_bombs(tmp_path)):
            path = tmp_path / f"bomb-{number}{exporter.suffix}"
            path.write_bytes(bomb)
            with suppress(Exception):
                if exporter.opens(path):
                    exporter.read(path)
            ran = list(tmp_path.glob("ran-*"))
            assert not ran, "a pickle in the file was run: do not unpickle what a stranger wrote"

    def test_does_not_change_the_mode(self, bundle: Bundle, tmp_path: Path) -> None:
        exporter = self.make()
        for training in (True, False):
            exporter(
                attrs.evolve(bundle, model=bundle.model.train(training)),
                tmp_path / f"{training}{exporter.suffix}",
            )
            assert bundle.model.training == training, (
                "exporting switched between train and eval mode"
            )
            assert all(p.requires_grad for p in bundle.model.parameters()), (
                "exporting froze weights"
            )


class _Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, trap: Path) -> None:
        self._trap = trap

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self._trap), "w")


def _bombs(folder: Path) -> Iterator[bytes]:
    """Files that run a pickle if opened without care: plain, of torch, and of numpy."""
    yield pickle.dumps(_Bomb(folder / "ran-pickle"))
    of_torch, of_numpy, of_archive = BytesIO(), BytesIO(), BytesIO()
    torch.save({"model": _Bomb(folder / "ran-torch"), "metadata": {}}, of_torch)
    array = np.array([_Bomb(folder / "ran-numpy")], dtype=object)
    np.save(of_numpy, array, allow_pickle=True)
    np.savez(of_archive, weights=array, metadata=array)
    yield from (each.getvalue() for each in (of_torch, of_numpy, of_archive))


def _opening(exporter: Exporter) -> Opening:
    if not isinstance(exporter, Opening):
        pytest.skip("it only writes: it has no `opens` and `read`")
    return exporter
