"""What holds for each backbone that is installed, in the model and on the way to a user."""

import json
import logging
import re
import shlex
from pathlib import Path

import pytest
import torch
import yaml
from attrs import evolve, fields_dict
from click.testing import CliRunner

from vall_e.benchmarks.backbones import BackboneSize, measure, state_bytes
from vall_e.cli.app import App, cli
from vall_e.config.load import structure
from vall_e.discovery import discover
from vall_e.errors import UnavailableError
from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Example
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e_backbones.kernels import Sdpa

OFFERS = discover().offers_of("backbone")
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "backbones.md").read_text(encoding="utf-8")
YAML_PAGES = [ROOT / "docs/backbones.md", *ROOT.glob("plugins/vall-e-backbone-*/README.md")]
NAMES = [offer.component.name for offer in OFFERS]
SMALL = BackboneSize(d_model=32, layers=2, heads=2, positions=6)
OWN = {"mamba2": {"head_size": 16, "state": 16}}
"""Options without which a backbone is too large for a test."""
RATES = {"gru": 0.03}
"""Where 0.01 takes four times the steps."""


def _section(offer, **changes):
    known = {"d_model": 32, "layers": 2, "heads": 2, **OWN.get(offer.component.name, {}), **changes}
    own = fields_dict(offer.component.config)
    return {"name": offer.component.name, **{k: v for k, v in known.items() if k in own}}


def _model(registry, offer, **changes):
    try:
        section = {"backbone": _section(offer, **changes), "capabilities": ["ar", "nar"]}
        return tiny_bundle(registry, StaircaseCodec(levels=2), model=section).model
    except UnavailableError as exc:
        pytest.skip(str(exc))


def _batch(registry, model):
    [task] = [
        o.component.build(o.component.config())
        for o in registry.offers_of("task")
        if o.component.name == "tts"
    ]
    chance = torch.Generator().manual_seed(1)
    sample = Sample(
        text=torch.randint(4, 20, (6,), generator=chance),
        language=0,
        prompt=torch.randint(8, (2, 4), generator=chance),
        response=torch.randint(8, (2, 8), generator=chance),
    )
    known = [evolve(sample, response=sample.response[: level + 1]) for level in (0, 1)]
    return [Example(tuple(task.segments(s, level=i)), i) for i, s in enumerate(known)]


@pytest.mark.slow
@pytest.mark.parametrize("offer", OFFERS, ids=NAMES)
def test_it_learns_a_batch_by_heart_in_mixed_precision(registry, offer):
    """Also with layers that are recomputed, and both stages at once."""
    model = _model(registry, offer, checkpointing=True).train()
    batch = _batch(registry, model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATES.get(offer.component.name, 0.01))
    losses = []
    while len(losses) < 300 and not (losses and losses[-1] < 0.4 * losses[0]):
        with torch.autocast("cpu", torch.bfloat16):
            loss = model.loss(batch).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0]


@pytest.mark.parametrize("offer", OFFERS, ids=NAMES)
def test_a_backbone_that_is_not_bidirectional_warns_once(registry, offer, caplog):
    with caplog.at_level(logging.WARNING):
        model = _model(registry, offer)
        model.loss(_batch(registry, model))
        model.loss(_batch(registry, model))
    told = [record.message for record in caplog.records if "not bidirectional" in record.message]
    assert len(told) == (0 if model.backbone.bidirectional else 1)
    assert all(offer.component.name in line for line in told)


def test_a_causal_nar_that_is_configured_gives_no_warning(registry, caplog):
    [gru] = [offer for offer in OFFERS if offer.component.name == "gru"]
    section = {"backbone": _section(gru), "nar_attention": "causal"}
    tiny_bundle(registry, StaircaseCodec(levels=2), model=section)
    assert "not bidirectional" not in caplog.text


def test_every_backbone_is_measured_or_has_a_reason():
    rows = measure(OFFERS, Sdpa("sdpa"), torch.device("cpu"), size=SMALL, repeats=1)
    assert rows[0].name == "llama"
    assert sorted(row.name for row in rows) == sorted(NAMES)
    for row in rows:
        assert row.reason or min(row.parameters, row.prefill, row.training) > 0
        assert row.reason or (row.decode is None) == (row.state_bytes is None)


def test_the_state_of_a_row_is_what_its_cache_holds():
    [gru] = [offer for offer in OFFERS if offer.component.name == "gru"]
    backbone = gru.component.build(
        gru.component.config(d_model=8, layers=2), attention=Sdpa("sdpa")
    )
    assert state_bytes(backbone.new_cache(1, 99)) == 2 * 8 * 4 + 8  # two states, one length


@pytest.mark.slow
def test_the_command_prints_what_was_measured(registry):
    def bench(*words):
        app = App(registry=registry, environ={})
        small = ["--set", "model.backbone={d_model: 32, layers: 1, heads: 2}", "--repeats", "1"]
        return CliRunner().invoke(cli, ["bench", "--backbones", *small, *words], obj=app)

    assert {row["name"] for row in json.loads(bench("--json").stdout)} == set(NAMES)
    head, llama, *_ = bench().stdout.splitlines()
    assert head.split()[:2] == ["backbone", "parameters"]
    assert llama.count("(1.00x)") == 3
    assert bench("-m", "embedded").exit_code == 2


def test_the_page_lists_every_backbone():
    told = re.findall(r"^\| `([\w-]+)` \| `?(vall-e[\w-]*)`? \| (yes|no) ", PAGE, re.MULTILINE)
    assert {(name, owner) for name, owner, _ in told} == {
        (offer.component.name, offer.distribution) for offer in OFFERS
    }


@pytest.mark.parametrize("path", YAML_PAGES, ids=lambda path: path.parent.name)
def test_the_examples_of_a_page_are_configs(registry, path):
    blocks = re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        structure(yaml.safe_load(block), registry)


@pytest.mark.slow
def test_the_commands_of_the_page_work(registry):
    [listing, measuring] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in (listing + measuring).splitlines():
        words = shlex.split(line)[1:]
        done = CliRunner().invoke(cli, words, obj=App(registry=registry, environ={}))
        assert done.exit_code == 0, done.output
        assert "mixtral" in done.stdout
