"""Files of e-c-k-e-r of each kind that its config can name: read, spoken with, written back."""

import json

import pytest
import torch
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy

from vall_e.cli.app import App, cli
from vall_e.decoding.ar.loop import decode_ar
from vall_e.errors import CheckpointError
from vall_e.export.formats.ecker import EckerExporter
from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Example
from vall_e.synthesis.assembly import Parts
from vall_e.synthesis.request import Request
from vall_e.synthesis.synthesizer import Synthesizer
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle
from vall_e.weights.file import load, save

LLAMA = {"name": "llama", "d_model": 16, "layers": 1, "heads": 2, "d_ff": 64, "activation": "gelu"}
MIXTRAL = {**LLAMA, "name": "mixtral", "experts": 3, "kv_heads": 1}
KINDS = {
    "ar": {"capabilities": ["ar"], "embedding_sums": False},
    "nar": {"capabilities": ["nar"], "legacy_sums": True, "nar_attention": "causal"},
    "nar, one head": {"capabilities": ["nar"], "heads": "single"},
    "nar, len": {"capabilities": ["nar", "len"]},
    "experts": {"backbone": MIXTRAL},
    "sums of prompts": {"summed": "prompt"},
    "sums of responses": {"summed": "response", "legacy_sums": True},
    "ahead": {"ahead": 3},
}


def made(registry, folder, kind, *, levels=3, name="model.sft"):
    """The file of such a model, and the model."""
    options = {"backbone": LLAMA, "prompt_levels": "known", **KINDS[kind]}
    bundle = tiny_bundle(registry, StaircaseCodec(levels=levels), model=options)
    EckerExporter()(bundle, folder / name)
    return folder / name, bundle


def codec(levels=3):
    staircase = StaircaseCodec(levels=levels)
    staircase.identity = "encodec-24k:0123abcd"
    return staircase


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_read_and_written_back_tensor_by_tensor(registry, tmp_path, kind):
    path, bundle = made(registry, tmp_path, kind)
    with safe_open(path, framework="pt") as file:
        facts = file.metadata()
    theirs = {name: torch.randn_like(t) for name, t in load_file(path).items()}
    save_file(theirs, path, metadata=facts)
    read = load(path, registry)
    assert read.config.model == bundle.config.model
    save(read, tmp_path / "ours.safetensors")
    EckerExporter()(load(tmp_path / "ours.safetensors", registry), tmp_path / "back.sft")
    back = load_file(tmp_path / "back.sft")
    assert back.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert back[name].equal(tensor), name


@pytest.mark.parametrize("kind", ["ar", "experts", "sums of prompts", "ahead"])
def test_it_speaks(registry, tmp_path, kind):
    path, _ = made(registry, tmp_path, kind)
    speaker = Synthesizer.of(load(path, registry), codec())
    result = speaker.synthesize(Request("a man", seed=0, max_seconds=0.3))
    assert result.clip.seconds > 0


def test_the_pair_speaks_together(registry, tmp_path):
    """`ar-llama-1` with `nar-llama-8`: neither file knows all levels."""
    first, _ = made(registry, tmp_path, "ar", levels=1, name="ar.sft")
    later, _ = made(registry, tmp_path, "nar", name="nar.sft")
    pair = [load(path, registry) for path in (first, later)]
    with pytest.raises(CheckpointError, match="does not write level 0"):
        Parts.of(pair[1], codec())
    speaker = Synthesizer(Parts.of(pair[0], codec(), nar=pair[1]))
    [sentence] = speaker.synthesize(Request("a man", seed=0, max_seconds=0.3)).sentences
    assert len(sentence.codes.values) == 3


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("experts", "backbone         mixtral"),
        ("ahead", "frames ahead     3"),
        ("sums of prompts", "sums             all known levels, only in the prompt"),
    ],
)
def test_converting_says_what_was_read(registry, tmp_path, kind, told):
    path, _ = made(registry, tmp_path, kind)
    args = ["models", "convert", str(path), "-o", str(tmp_path / "ours.safetensors")]
    result = CliRunner().invoke(cli, args, obj=App(registry=registry))
    assert result.exit_code == 0, result.output
    assert told in result.output


def test_nine_levels_are_of_dac(registry, tmp_path):
    path, _ = made(registry, tmp_path, "ar", levels=9)
    read = load(path, registry)
    assert (read.codec, read.config.codec.options.levels) == ("dac-44k", 9)


def test_what_the_original_would_have_written_says_what_it_is(registry, tmp_path):
    told = {}
    for kind in KINDS:
        path, _ = made(registry, tmp_path, kind)
        with safe_open(path, framework="pt") as file:
            told[kind] = json.loads(file.metadata()["config"])
        told[kind] |= told[kind].pop("experimental")
    assert (told["experts"]["arch_type"], told["experts"]["experts"]) == ("mixtral", 3)
    assert told["experts"]["kv_heads"] == 1
    assert told["ahead"]["causal_size"] == 3
    assert told["sums of prompts"]["audio_embedding_sums"] == "prom"
    assert told["ar"]["audio_embedding_sums"] is False


@pytest.fixture
def ahead(registry, tmp_path):
    return load(made(registry, tmp_path, "ahead")[0], registry)


def sample(frames, seed=0):
    random = torch.Generator().manual_seed(seed)
    codes = [torch.randint(16, (3, n), generator=random) for n in (4, frames)]
    return Sample(torch.tensor([1, 5, 6, 7, 2]), 0, *codes)


def sequence(bundle, of):
    task = bundle.config.tasks[0].build()
    return Example(tuple(task.segments(of, level=0)), 0)


class Greedy:
    def draw(self, history, logits, generators):
        return logits[:, :-1].argmax(-1)


@torch.no_grad()
def test_several_places_ahead_writes_as_several_frames_a_step_do(ahead):
    """As over there: the last three positions say the next three frames, all at once."""
    model, task = ahead.model, ahead.config.tasks[0].build()
    wanted, given = [], []
    for seed in (0, 1):
        start = sample(2, seed)
        given.append(start)
        codes = start.response[:1]
        for _ in range(3):
            whole = Sample(start.text, 0, start.prompt, codes)
            states, _, _ = model.hidden([sequence(ahead, whole)])
            new = model.logits(states[0, -3:], 0)[:, :-1].argmax(-1)
            codes = torch.cat([codes, new[None]], dim=1)
        wanted.append(codes[0, 2:])
    options = {"draw": Greedy(), "generators": [None, None], "max_frames": [9, 9]}
    written = decode_ar(model, task, given, **options)
    assert [w.level_0.tolist() for w in written] == [w.tolist() for w in wanted]


@pytest.mark.parametrize("inputs", [False, True])
def test_several_places_ahead_is_what_it_learns(ahead, inputs):
    """The loss is that of `logits[:-3]` against `targets[3:]`, with as many stop tokens."""
    model = ahead.model
    losses, counts = [], []
    examples = [sequence(ahead, sample(n, n)) for n in (2, 5)]
    for example in examples:
        with torch.no_grad():
            logits = model.logits(model.hidden([example])[0][0], 0)
        codes = example.target.ids[0]
        told = [
            s.ids if inputs and s.name != "prompt" else torch.full((len(s),), -100)
            for s in example.segments[:-1]
        ]
        before = torch.cat([torch.cat([ids, torch.tensor([-100])]) for ids in told])
        targets = torch.cat([before, codes, torch.full((3,), model.stop)])
        losses.append(cross_entropy(logits, targets[3:], reduction="sum").item())
        counts.append(int((targets[3:] != -100).sum()))
        if not inputs:
            assert model.predicted(example) == counts[-1]
    found = model.loss(examples, ignore_inputs=not inputs)
    assert found.total.item() == pytest.approx(sum(losses) / sum(counts), abs=1e-5)
    assert found.tokens == sum(counts)
