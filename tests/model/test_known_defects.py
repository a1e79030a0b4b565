"""What went wrong in the project that this one learnt from does not go wrong here."""

import re
from pathlib import Path

import attrs
import pytest
import torch
from attrs import evolve
from torch.utils.flop_counter import FlopCounterMode

import vall_e
from vall_e.config import data, layer_skip, model, samples, schema, synthesis, training
from vall_e.config.load import structure
from vall_e.decoding.ar.loop import Writing
from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample, Segment
from vall_e.model.embedding import ModelSizes
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import RecognitionConfig, TtsConfig
from vall_e.tasks.stt import Recognition
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=4, codebook_size=16, vocabulary=12, languages=1, markers=("ns", "stt"))
TASK = Tts(TtsConfig(language=False))
FRAMES = 6


@pytest.fixture
def config(registry):
    return tiny_config(registry).model


def _model(config, sizes=SIZES):
    torch.manual_seed(0)
    return build_valle(config, sizes).eval()


def _codes(seed=0, frames=FRAMES):
    return torch.randint(0, 16, (4, frames), generator=torch.Generator().manual_seed(seed))


def _example(level, codes=None, prompt=None):
    codes = _codes() if codes is None else codes
    sample = Sample(torch.arange(1, 6), 0, _codes(1, 3) if prompt is None else prompt, codes)
    return Example(tuple(TASK.segments(sample, level=level)), level)


class Never:
    def draw(self, history, logits, generators):
        return logits[:, :16].argmax(-1)


def test_a_frame_is_read_once_and_not_the_whole_sequence_again(config):
    sample = Sample(torch.arange(1, 12), 0, None, torch.empty(1, 0, dtype=torch.long))
    with FlopCounterMode(display=False) as prompt:
        writing = Writing(_model(config), TASK, [sample], [None], [9])
    for _ in range(3):
        with FlopCounterMode(display=False) as frame:
            writing.step(Never())
        assert frame.get_total_flops() < prompt.get_total_flops() / 5  # of 14 positions


@pytest.mark.parametrize(("attention", "both_ways"), [("full", True), ("causal", False)])
@torch.no_grad()
def test_a_frame_of_a_later_level_sees_the_frames_after_it(config, attention, both_ways):
    """Unless the config says that the weights were trained otherwise."""
    model = _model(evolve(config, nar_attention=attention))
    changed = _codes()
    changed[0, -1] = (changed[0, -1] + 1) % 16
    plain, _, _ = model.hidden([_example(2)])
    other, _, _ = model.hidden([_example(2, changed)])
    assert torch.allclose(plain[0, -2], other[0, -2]) != both_ways
    assert not torch.allclose(plain[0, -1], other[0, -1])


@pytest.mark.parametrize("legacy", [False, True])
def test_a_sum_of_levels_has_the_newest_one_in_it(config, legacy):
    """But for the weights that were trained without it."""
    embedding = _model(evolve(config, legacy_sums=legacy, prompt_levels="known")).embedding
    for level in range(1, 4):
        known = level - 1 if legacy and level > 1 else level
        example = _example(level)
        vectors = embedding([example]).vectors[0]
        response = sum(embedding.response[i + 1](_codes()[i]) for i in range(known))
        torch.testing.assert_close(vectors[-FRAMES:], response)
        prompt = sum(embedding.prompt[i](_codes(1, 3)[i]) for i in range(known))
        torch.testing.assert_close(vectors[-FRAMES - 4 : -FRAMES - 1], prompt)


def test_any_size_of_model_is_the_size_that_is_built(registry):
    sizes = {"d_model": 24, "layers": 3, "heads": 2, "d_ff": 40}
    config = tiny_config(registry, model={"backbone": {"name": "llama", **sizes}}).model
    backbone = _model(config).backbone
    assert len(backbone.layers) == 3
    assert backbone.layers[2].mlp.up_proj.weight.shape == (40, 24)


def test_a_model_of_nothing_but_defaults_can_be_built(registry):
    assert _model(structure({}, registry).model).device.type == "cpu"


def test_a_marker_of_a_task_has_a_position_like_everything_else(config):
    embedding = _model(config).embedding
    plain = _example(0)
    marked = evolve(plain, segments=(Segment.marker("ns"), *plain.segments))
    unified = _model(evolve(config, positions="unified")).embedding
    assert embedding.positions(marked).tolist() == [0, 1, *embedding.positions(plain).tolist()]
    assert unified.positions(marked).tolist() == list(range(len(marked)))


@pytest.mark.parametrize(
    "name", ["tie_classifier_to_embedding", "prompt_continuous_utterance_p", "save_on_oom"]
)
def test_an_option_that_would_do_nothing_is_refused(registry, name):
    with pytest.raises(ConfigError, match=name):
        structure({"model": {name: True}}, registry)


def test_every_option_is_read_somewhere():
    modules = (schema, model, data, training, synthesis, layer_skip, samples)
    said = {Path(module.__file__) for module in modules}
    files = set(Path(vall_e.__file__).parent.rglob("*.py")) - said
    source = "\n".join(path.read_text() for path in files)
    classes = [
        kind
        for module in modules
        for kind in vars(module).values()
        if attrs.has(kind) and kind.__module__ == module.__name__
    ]
    unread = [
        f"{kind.__name__}.{field.name}"
        for kind in classes
        for field in attrs.fields(kind)
        if not re.search(rf"[.\"]{field.name}\b", source)
    ]
    assert len(classes) == 13
    assert unread == []


def test_text_is_predicted_by_a_head_of_its_own(config):
    model = _model(config, evolve(SIZES, writes_text=True))
    sample = Sample(torch.tensor([1, 7, 5, 2]), 0, None, _codes()[:1, :0], input=_codes())
    task = Recognition(RecognitionConfig())
    example = Example(tuple(task.segments(sample, level=0)), 0)
    model.loss([example]).total.backward()
    assert model.heads.text.weight.grad.any()
    assert model.heads.layers[0].weight.grad is None
    assert model.text_logits(torch.zeros(1, 32)).shape == (1, 12)


@pytest.mark.parametrize("levels", [[0], [0, 2]], ids=["ar", "both stages"])
def test_the_auxiliary_loss_of_a_backbone_counts(config, levels):
    model = _model(config)
    examples = [_example(level) for level in levels]
    before = model.loss(examples)
    run = model.backbone.forward

    def with_router_loss(*args, **options):
        hidden, auxiliary = run(*args, **options)
        return hidden, auxiliary + 0.25

    model.backbone.forward = with_router_loss
    after = model.loss(examples)
    torch.testing.assert_close(after.total, before.total + 0.25 * len(levels))
    torch.testing.assert_close(after.auxiliary, torch.tensor(0.25 * len(levels)))


def test_a_cpu_trains_with_dropout_and_the_default_kernel(registry):
    backbone = {"name": "llama", "d_model": 16, "layers": 1, "heads": 2, "dropout": 0.5}
    model = _model(tiny_config(registry, model={"backbone": backbone}).model).train()
    model.loss([_example(0), _example(1)]).total.backward()
    assert model.backbone.layers[0].self_attn.q_proj.weight.grad.isfinite().all()


def test_heads_without_bias_have_none(config):
    with_bias, without = (
        _model(evolve(config, head_bias=bias)).heads.state_dict() for bias in (True, False)
    )
    assert with_bias.keys() - without.keys() == {f"layers.{level}.bias" for level in range(4)}
