import math
import re
from pathlib import Path

import pytest
import torch
from attrs import evolve

from vall_e.categorical import draw_categorical
from vall_e.config.layer_skip import ExitConfig, SpeculativeConfig
from vall_e.config.load import change
from vall_e.decoding.ar.choose_state import rows_of
from vall_e.decoding.ar.early_exit import plain
from vall_e.decoding.ar.loop import decode_ar
from vall_e.decoding.compatibility import ModelFacts, require_fit
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.errors import ConfigError
from vall_e.interfaces.task import Sample
from vall_e.model.embedding import ModelSizes
from vall_e.model.lora import Terms, adapters, attach, places
from vall_e.model.sequence import Example
from vall_e.model.valle import build_valle
from vall_e.tasks.options import TtsConfig
from vall_e.tasks.tts import Tts
from vall_e.testing.fakes.tiny_model import tiny_config

SIZES = ModelSizes(levels=2, codebook_size=16, vocabulary=12, languages=1)
TASK = Tts(TtsConfig())
DEPTH = 3
MOST = [7, 12]


class Never:
    """Greedy among the codes: never stops."""

    def draw(self, history, logits, generators):
        return logits[:, :16].argmax(-1)


class ByChance:
    def draw(self, history, logits, generators):
        return draw_categorical(logits, generators)


@pytest.fixture(scope="module")
def config(registry):
    backbone = {"name": "llama", "d_model": 32, "layers": DEPTH, "heads": 2}
    return tiny_config(registry, model={"backbone": backbone})


@pytest.fixture
def model(config):
    """Untrained, but with layers that change something."""
    torch.manual_seed(0)
    model = build_valle(config.model, SIZES).eval()
    for name, weight in model.backbone.named_parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.15, generator=_seeded(len(name)))
    torch.nn.init.normal_(model.heads.layers[0].weight, std=0.3, generator=_seeded(0))
    return model


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _samples() -> list[Sample]:
    draw = _seeded(3)
    return [
        Sample(
            torch.randint(0, 12, (size,), generator=draw),
            0,
            torch.randint(0, 16, (2, 4), generator=draw),
            torch.empty(1, 0, dtype=torch.long),
        )
        for size in (5, 9)
    ]


def _write(model, config, draw, guidance=UNGUIDED, **sampling):
    return decode_ar(
        model,
        TASK,
        _samples(),
        draw=draw,
        generators=[_seeded(7), _seeded(8)],
        max_frames=MOST,
        guidance=guidance,
        read=rows_of(evolve(config.sampling, **sampling)),
    )


def _require(model, sampling):
    require_fit(ModelFacts(sampling=sampling, model=model, attempts=1, masked=False, refines=True))


def _same(written, other) -> bool:
    return all(
        a.level_0.equal(b.level_0) and a.ended == b.ended
        for a, b in zip(written, other, strict=True)
    )


@pytest.mark.parametrize(("layers", "drafts"), [(1, 3), (2, 1)])
@pytest.mark.parametrize("guidance", [UNGUIDED, Guidance(2.0)], ids=["plain", "guided"])
@pytest.mark.parametrize("draw", [Never(), ByChance()], ids=["greedy", "chance"])
def test_drafts_change_no_token(model, config, layers, drafts, guidance, draw):
    wanted = _write(model, config, draw, guidance)
    options = SpeculativeConfig(layers=layers, drafts=drafts)
    found = _write(model, config, draw, guidance, speculative=options)
    assert _same(found, wanted)
    for row in found:
        assert 0 <= row.effort.accepted <= row.effort.drafted
        assert row.effort.drafted % drafts == 0
    assert not wanted[0].effort.plain()


def test_drafts_that_are_right_are_all_accepted(model, config):
    """Where the last layers change nothing: 12 frames take three checks and no more."""
    for name, weight in model.backbone.layers[1:].named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            torch.nn.init.zeros_(weight)
    passes = []
    deep = model.backbone.layers[2]
    deep.register_forward_pre_hook(lambda _, inputs: passes.append(inputs[0].shape[1]))
    found = _write(model, config, Never(), speculative=SpeculativeConfig(layers=1, drafts=3))
    assert found[1].effort.plain() == {"drafted": 9, "accepted": 8}
    assert passes[1:] == [4, 4, 4]  # both rows miss at the same frames
    assert len(found[1].level_0) == 12


def _exits(model, sample, codes):
    """The logits after each layer, at the last place of a sequence that is run as a whole."""
    known = evolve(sample, response=torch.tensor([codes], dtype=torch.long))
    embedded = model.embedding([Example(tuple(TASK.segments(known, level=0)), 0)])
    x, found = embedded.vectors, []
    for layer in range(DEPTH):
        x, _ = model.backbone.span(
            x,
            first=layer,
            last=layer + 1,
            lengths=embedded.lengths,
            positions=embedded.positions,
        )
        found.append(model.logits(model.backbone.exit(x)[0, -1:], 0))
    return found


@torch.no_grad()
@pytest.mark.parametrize(
    ("after", "threshold"), [(1, "none"), (1, "some"), (1, "all"), (2, "some")]
)
def test_each_frame_leaves_where_it_is_plain_and_is_caught_up_with_exactly(
    model, config, after, threshold
):
    first = _exits(model, _samples()[0], [3, 5])[after - 1]
    entropy = torch.distributions.Categorical(logits=first[0]).entropy().item()
    highest = {"none": 0.0, "some": entropy, "all": 100.0}[threshold]
    options = ExitConfig(after=after, entropy=highest, varentropy=100.0)
    found = _write(model, config, Never(), exit=options)
    for sample, row in zip(_samples(), found, strict=True):
        codes, depths = row.level_0.tolist(), []
        for place, code in enumerate(codes):
            exits = _exits(model, sample, codes[:place])
            plains = [bool(plain(logits, options)[0]) for logits in exits[after - 1 : -1]]
            depth = after - 1 + plains.index(True) if place and True in plains else DEPTH - 1
            assert code == exits[depth][0, :16].argmax()
            depths.append(depth + 1)
        assert (row.effort.frames, row.effort.layers) == (len(codes) - 1, sum(depths[1:]))
    mean = found[0].effort.plain()["layers_per_frame"]
    assert {"none": mean == DEPTH, "some": 1 < mean < DEPTH, "all": mean == after}[threshold]


@pytest.mark.parametrize("shallow", ["exit", "speculative"])
def test_a_lora_of_level_0_speaks_in_every_span_of_layers(model, config, shallow):
    attach(model, places(model), Terms(2, 6.0, levels=(0,)))
    for adapter in adapters(model).values():
        torch.nn.init.normal_(adapter.lora_b, std=0.3, generator=_seeded(1))
    options = {
        "exit": ExitConfig(after=1, entropy=0.0),  # leaves after no layer but the last
        "speculative": SpeculativeConfig(layers=1, drafts=2),
    }
    wanted = _write(model, config, Never())
    assert _same(_write(model, config, Never(), **{shallow: options[shallow]}), wanted)


@pytest.mark.parametrize(
    "shallow",
    [{}, {"exit": ExitConfig(after=1)}, {"speculative": SpeculativeConfig(layers=1, drafts=2)}],
    ids=["all layers", "exit", "speculative"],
)
def test_rows_that_continue_say_what_they_said(model, config, shallow):
    read = rows_of(evolve(config.sampling, **shallow))
    rows = read(model, TASK, _samples(), most_frames=4)
    rows.append(torch.tensor([3, 5]))
    before = rows.logits()
    rows.select(torch.tensor([1]))
    torch.testing.assert_close(rows.logits(), before[1:])


def test_guided_frames_leave_together_with_their_other_side(model, config):
    options = ExitConfig(after=1, entropy=0.0)
    wanted = _write(model, config, Never(), Guidance(2.0))
    assert _same(_write(model, config, Never(), Guidance(2.0), exit=options), wanted)


def test_plain_is_distinguished_from_the_distribution_alone():
    certain = torch.tensor([0.0, -math.inf, -math.inf, -math.inf])
    coin = torch.tensor([0.5, 0.5, 0.0, 0.0]).log()
    skewed = torch.tensor([0.97, 0.01, 0.01, 0.01]).log()
    rows = torch.stack([certain, coin, skewed, torch.zeros(4)])
    assert plain(rows, ExitConfig()).tolist() == [True, False, False, False]
    assert plain(rows, ExitConfig(entropy=0.7)).tolist() == [True, True, False, False]
    both = ExitConfig(entropy=0.7, varentropy=1.0)
    assert plain(rows, both).tolist() == [True, True, True, False]
    assert plain(rows + 5, both).equal(plain(rows, both))


@pytest.mark.parametrize(
    ("sampling", "says"),
    [
        (
            {"exit": ExitConfig(after=1), "speculative": SpeculativeConfig(layers=1)},
            "sampling.speculative.layers: all layers must check the drafts",
        ),
        (
            {"speculative": SpeculativeConfig(layers=1), "beams": 2},
            "sampling.speculative.layers has no effect with sampling.beams: 2",
        ),
        ({"exit": ExitConfig(after=3)}, "sampling.exit.after: 3 is not fewer than the 3 layers"),
        ({"speculative": SpeculativeConfig(layers=3)}, "layers: 3 is not fewer than the 3 layers"),
    ],
)
def test_what_cannot_be_done_is_refused(model, config, sampling, says):
    with pytest.raises(ConfigError) as caught:
        _require(model, evolve(config.sampling, **sampling))
    assert says in caught.value.message


def test_a_backbone_without_layers_is_refused(model, config):
    class Whole(torch.nn.Module):
        d_model, bidirectional, caches = 16, True, True

        def new_cache(self, batch, max_length): ...

    model.backbone = Whole()
    with pytest.raises(ConfigError, match="the backbone llama cannot run its layers one by one"):
        _require(model, evolve(config.sampling, exit=ExitConfig(after=1)))


def test_speech_is_the_same_with_drafts_and_mentions_them(speaker):
    """Offline, streamed in windows, and as the best of two candidates."""
    for sampling, options in [({}, {"window_seconds": 0.05}), ({"candidates": 2}, {})]:
        wanted = speaker(sampling=sampling, **options).synthesize("one two", seed=3)
        drafting = speaker(sampling={**sampling, "speculative": {"layers": 1}}, **options)
        found = drafting.synthesize("one two", seed=3)
        assert (found.codes.values == wanted.codes.values).all()
        [sentence] = found.to_json()["sentences"]
        assert sentence["drafted"] > 0
        assert sentence["accepted"] <= sentence["drafted"]
        assert "drafted" not in wanted.to_json()["sentences"][0]


def test_the_options_that_the_page_sets_are_options(config, registry):
    page = (Path(__file__).parents[3] / "docs" / "layer_skip.md").read_text()
    overrides = re.findall(r"--set (\S+)", page)
    assert len(overrides) == 3
    changed = change(config, registry, overrides=overrides)
    assert changed.sampling.speculative.layers == 4
    assert changed.sampling.exit == ExitConfig(after=6, entropy=0.1)
