"""A model learns more tasks than it knew."""

import pytest
import torch

from vall_e.config.load import structure
from vall_e.errors import ConfigError
from vall_e.text.symbol_splitter import Glued
from vall_e.training.setup import open_run
from vall_e.weights.file import load, save


def _open(school, tasks, folder, **training):
    raw = school.raw(*tasks)
    raw["training"] = {**raw["training"], **training}
    return open_run(
        structure(raw, school.registry, source="test"), folder, registry=school.registry
    )


def test_new_tasks_start_from_weights_that_know_others(school, tmp_path):
    save(_open(school, ["tts"], tmp_path / "first").bundle, tmp_path / "tts.safetensors")
    run = _open(
        school,
        ["tts", "ns", "stt"],
        tmp_path / "next",
        start_from=str(tmp_path / "tts.safetensors"),
    )
    before = load(tmp_path / "tts.safetensors", school.registry).model.state_dict()
    after = run.bundle.model.state_dict()
    assert before.keys() < after.keys()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_a_model_of_several_tasks_is_read_back(school, tmp_path):
    run = _open(school, ["tts", "ns", "stt"], tmp_path / "run")
    save(run.bundle, tmp_path / "all.safetensors")
    back = load(tmp_path / "all.safetensors", school.registry).model
    assert back.sizes == run.bundle.model.sizes
    saved = run.bundle.model.state_dict()
    assert all(torch.equal(saved[name], tensor) for name, tensor in back.state_dict().items())


def test_an_utterance_is_used_for_each_task(school, tmp_path):
    run = _open(school, ["tts", "ns", "stt"], tmp_path / "run")
    seen = set()
    for batch, _ in zip(run.loader, range(12), strict=False):
        for example in batch.examples:
            seen.add(next((s.name for s in example.segments if s.name in ("ns", "stt")), "tts"))
            assert example.level == 0 or example.target.name == "response"
    assert seen == {"tts", "ns", "stt"}


def test_weights_keep_their_tokenizer_and_refuse_another(school, tmp_path):
    weights = tmp_path / "naive.safetensors"
    raw = school.raw("tts")
    raw["text"] = {"phonemizer": "none", "tokenizer": "naive"}
    config = structure(raw, school.registry, source="test")
    save(open_run(config, tmp_path / "run", registry=school.registry).bundle, weights)
    assert load(weights, school.registry).vocabulary.splitting == Glued()
    with pytest.raises(ConfigError, match="trained with another tokenizer"):
        _open(school, ["tts"], tmp_path / "next", start_from=str(weights))
