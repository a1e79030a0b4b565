import json

import pytest
import torch
from attrs import evolve
from safetensors import safe_open
from safetensors.torch import save_file

from vall_e.config.load import without_folders
from vall_e.errors import CheckpointError
from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Example
from vall_e.testing.fakes.staircase_codec import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import load, metadata_of, save, tensors_of
from vall_e.weights.metadata import read_metadata


@pytest.fixture
def bundle(registry):
    return tiny_bundle(registry, StaircaseCodec())


def test_what_is_saved_comes_back(bundle, registry, tmp_path):
    path = tmp_path / "new folder" / "model.safetensors"
    save(evolve(bundle, statistics={"steps": 7, "loss": 1.5}), path)
    again = load(path, registry)
    assert again.config == without_folders(bundle.config)
    assert again.config.model == bundle.config.model
    assert again.vocabulary == bundle.vocabulary
    assert again.codec == bundle.codec
    assert again.statistics == {"steps": 7, "loss": 1.5}
    for name, tensor in bundle.model.state_dict().items():
        assert again.model.state_dict()[name].equal(tensor), name
    assert not again.model.training
    assert list(path.parent.iterdir()) == [path]


def test_half_precision_halves_the_file_and_loads_as_floats(bundle, registry, tmp_path):
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save(bundle, whole)
    save(bundle, half, dtype=torch.float16)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    again = load(half, registry).model
    assert again.embedding.separator.dtype == torch.float32
    torch.testing.assert_close(
        again.embedding.separator, bundle.model.embedding.separator, rtol=1e-3, atol=1e-4
    )


def test_the_reloaded_model_says_the_same(bundle, registry, tmp_path):
    path = tmp_path / "model.safetensors"
    save(bundle, path)
    task = bundle.config.tasks[0].build()
    sample = Sample(torch.tensor([1, 5, 2]), 0, None, torch.zeros(1, 3, dtype=torch.long))
    example = Example(tuple(task.segments(sample, level=0)), 0)
    first, _, _ = bundle.model.hidden([example])
    second, _, _ = load(path, registry).model.hidden([example])
    assert first.equal(second)


def test_the_metadata_is_read_without_the_tensors(bundle, tmp_path):
    path = tmp_path / "model.safetensors"
    save(bundle, path)
    assert json.loads(read_metadata(path)["codec"]) == bundle.codec


def _rewritten(bundle, path, *, tensors=None, **metadata):
    known = {**metadata_of(bundle), **metadata}
    kept = {key: value for key, value in known.items() if value is not None}
    save_file(tensors or tensors_of(bundle.model), path, metadata=kept)


def test_tensors_that_do_not_fit_are_named(bundle, registry, tmp_path):
    path, tensors = tmp_path / "model.safetensors", tensors_of(bundle.model)
    del tensors["embedding.separator"]
    tensors["embedding.text.weight"] = torch.zeros(3, 32)
    tensors["surplus"] = torch.zeros(1)
    _rewritten(bundle, path, tensors=tensors)
    with pytest.raises(CheckpointError) as caught:
        load(path, registry)
    for part in (
        "missing embedding.separator",
        "unknown surplus",
        "embedding.text.weight is (3, 32), expected",
    ):
        assert part in caught.value.message


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"format": None}, "was not written by this project"),
        ({"format": "99"}, "has format 99, but this version reads up to 1"),
        ({"codec": None}, "has no readable 'codec'"),
        ({"statistics": "{"}, "has no readable 'statistics'"),
    ],
)
def test_metadata_that_cannot_be_used_is_explained(bundle, registry, tmp_path, metadata, says):
    path = tmp_path / "model.safetensors"
    _rewritten(bundle, path, **metadata)
    with pytest.raises(CheckpointError) as caught:
        load(path, registry)
    assert says in caught.value.message


def test_a_file_that_is_missing_or_damaged_is_explained(bundle, registry, tmp_path):
    with pytest.raises(CheckpointError, match="there is no weights file"):
        load(tmp_path / "nowhere.safetensors", registry)
    path = tmp_path / "model.safetensors"
    save(bundle, path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="is damaged"):
        load(path, registry)


def test_it_is_a_plain_safetensors_file(bundle, tmp_path):
    path = tmp_path / "model.safetensors"
    save(bundle, path)
    with safe_open(path, framework="np") as file:
        assert set(file.keys()) == set(bundle.model.state_dict())
