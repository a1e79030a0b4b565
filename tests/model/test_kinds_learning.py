"""Each kind of model learns by heart, and says what it has learnt."""

import pytest
import torch
from attrs import evolve

from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.nar.loop import decode_nar
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

TASK = Tts(TtsConfig(language=False))
SIZES = ModelSizes(levels=3, codebook_size=16, vocabulary=12, languages=1)
SMALL = {"d_model": 32, "layers": 2, "heads": 2}
LLAMA = {"backbone": {"name": "llama", **SMALL}}
KINDS = {
    "ahead": [{"ahead": 3}],
    "experts": [{"backbone": {"name": "mixtral", **SMALL, "experts": 4}}],
    "retnet": [{"backbone": {"name": "retnet-hf", **SMALL}, "nar_attention": "causal"}],
    "two files": [{"capabilities": ["ar"]}, {"capabilities": ["nar"]}],
}


class Greedy:
    def draw(self, history, logits, generators):
        return logits.argmax(-1)


def _sample(seed):
    random = torch.Generator().manual_seed(seed)
    codes = [torch.randint(0, 16, (3, frames), generator=random) for frames in (3, 7 + seed)]
    return Sample(torch.randint(4, 12, (4,), generator=random), 0, *codes)


def _example(sample, level):
    known = evolve(sample, response=sample.response[: level + 1])
    return Example(tuple(TASK.segments(known, level=level)), level)


def _learn(model, samples):
    can = model.config.capabilities
    levels = [*([0] if "ar" in can else []), *([1, 2] if "nar" in can else [])]
    examples = [_example(sample, level) for sample in samples for level in levels]
    optimizer = torch.optim.AdamW(model.train().parameters(), 1e-2)
    for _ in range(50):
        optimizer.zero_grad()
        loss = model.loss(examples).total
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_by_heart_and_says_it(registry, kind):
    torch.manual_seed(0)
    wanted = [_sample(seed) for seed in (0, 1)]
    models = [
        _learn(build_valle(tiny_config(registry, model=LLAMA | options).model, SIZES), wanted)
        for options in KINDS[kind]
    ]
    drawing = {"draw": Greedy(), "generators": [None] * 2}
    empty = [evolve(sample, response=torch.empty(1, 0, dtype=torch.long)) for sample in wanted]
    written = decode_ar(models[0], TASK, empty, max_frames=[20] * 2, **drawing)
    assert all(row.ended for row in written)
    begun = [evolve(s, response=row.level_0[None]) for s, row in zip(empty, written, strict=True)]
    filled = decode_nar(models[-1], TASK, begun, levels=3, **drawing)
    for sample, codes in zip(wanted, filled, strict=True):
        assert codes.equal(sample.response)
