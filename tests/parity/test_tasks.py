"""Tasks, losses by segment, accuracies and LoRAs of the project that this one learnt from.

Some of what it computes is not how a model of ours is run: its marker of a task has no separator
and is counted by no position. Then the sequence is put together here, of our model's parts.
"""

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy

from vall_e.model.lora import Terms, adapters
from vall_e.synthesis.loras import Loras
from vall_e.weights.file import load

TOLERANCE = 1e-5
NS = 2
"""The row of its table of tasks."""
LEVELS = {"default": 4, "released": 8, "length": 4}
NOTHING = -100


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE)


def logits(reference, example):
    """Of every position, by the head of the example's level."""
    with torch.no_grad():
        states, _, _ = reference.model.hidden([example])
        return reference.model.logits(states[0], example.level)


def run(model, vectors, positions):
    """A causal pass over what is embedded already."""
    with torch.no_grad():
        states, _ = model.backbone(
            vectors[None],
            lengths=torch.tensor([len(vectors)]),
            positions=positions[None],
            causal=True,
        )
    return states[0]


@pytest.mark.parametrize("name", ["default", "released"])
@pytest.mark.parametrize("level", [0, 1])
def test_a_marker_in_the_prompt_gives_the_same_numbers(references, name, level):
    reference = references[name, "base"]
    example = reference.example(0, level, known=max(level, 1))
    marker = reference.state["tasks_emb.weight"][NS]
    with torch.no_grad():
        vectors = reference.model.embedding([example]).vectors[0]
    before = sum(len(segment) + 1 for segment in example.segments[:2])  # text and level
    vectors = torch.cat([vectors[:before], marker[None], vectors[before:]])
    positions = reference.model.embedding.positions(example)
    if reference.model.embedding.restart:  # one short from the marker on, and filled with 1
        positions = torch.cat([positions, torch.tensor([1])])
    else:
        positions = torch.arange(len(vectors))
    ours = reference.model.logits(run(reference.model, vectors, positions), level)
    theirs = reference[f"logits.ns.q{level}.0"]
    close(ours, theirs[:, : ours.shape[-1]])


def recognition(reference, number):
    """The sequence `response . [language .] level . text`, embedded, and its positions."""
    model, sample = reference.model, reference.sample(number)
    embedding = model.embedding
    with torch.no_grad():
        frames = embedding.response_codes(sample.response[:1], 0)
        for level in range(2, model.sizes.levels):  # a sum of sums: the first levels count often
            frames = frames + embedding.response_codes(sample.response[:level], level)
        parts = [frames]
        if reference.task.config.language:
            parts.append(embedding.language(torch.tensor([sample.language])))
        parts += [embedding.level(torch.tensor([0])), embedding.text(sample.text)]
    separator = embedding.separator.detach()[None]
    joined = [torch.cat([part, separator]) for part in parts[:-1]] + parts[-1:]
    # Over there a response never counts the separator after it, and a text always does.
    counts = [len(parts[0]), *(len(part) for part in joined[1:-1]), len(parts[-1]) + 1]
    return torch.cat(joined), torch.cat([torch.arange(count) for count in counts])


def recognized(reference, number):
    head = [reference.state[f"classifiers.proj.8.{part}"] for part in ("weight", "bias")]
    return torch.nn.functional.linear(run(reference.model, *recognition(reference, number)), *head)


@pytest.mark.parametrize("variant", ["base", "lang"])
def test_recognition_gives_the_same_numbers(references, variant):
    reference = references["released", variant]
    theirs = reference["logits.stt.0"]
    close(recognized(reference, 0), theirs[:, :256])


@pytest.mark.parametrize("variant", ["base", "lang"])
def test_losses_of_recognition_are_the_same(references, variant):
    reference = references["released", variant]
    losses = []
    for number in (0, 1):
        text = reference.sample(number).text
        given = recognized(reference, number)
        told = torch.full((len(given) - len(text),), NOTHING)
        told[-2] = 0  # the level
        if variant == "lang":
            told[-4] = reference.sample(number).language
        targets = torch.cat([told, text])
        losses.append(cross_entropy(given[:-1], targets[1:]).item())
    theirs = reference.scalars[f"{variant}.loss.stt.batch2"]
    assert sum(losses) / 2 == pytest.approx(theirs, abs=TOLERANCE)


def targets(reference, example, *, inputs):
    """What each position stands for, as over there; the end of level 0 is the stop token."""
    parts = []
    for segment in example.segments[:-1]:
        ids = segment.ids
        if segment.name == "prompt":
            ids = ids[example.level] if not reference.model.embedding.sums else ids[0] * 0 - 100
        parts += [ids if inputs else torch.full((len(segment),), NOTHING), torch.tensor([NOTHING])]
    codes = example.target.ids[example.level]
    return torch.cat([*parts, codes])


def taught(reference, number, level):
    """An example with its logits."""
    example = reference.example(number, level, known=level + 1)
    given = logits(reference, example)
    return example, given


def accuracy(reference, number, level, *, inputs):
    """How often the target is among the ten likeliest."""
    example, given = taught(reference, number, level)
    wanted = targets(reference, example, inputs=inputs)
    if level == 0:
        wanted = torch.cat([wanted[1:], torch.tensor([reference.model.stop])])
    known = wanted != NOTHING
    best = given[known].topk(10).indices
    return (best == wanted[known, None]).any(-1).double().mean().item()


SCORED = [
    (name, variant, level)
    for name, variants in {"default": ["base"], "released": ["base", "lang"]}.items()
    for variant in variants
    for level in range(LEVELS[name])
]


@pytest.mark.parametrize(("name", "variant", "level"), SCORED)
def test_accuracies_are_the_same(references, wide_heads, name, variant, level):
    reference = references[name, variant]
    with wide_heads(reference.model):
        ours = [accuracy(reference, i, level, inputs=True) for i in (0, 1)]
    for count in (1, 2):
        theirs = reference.scalars[f"{variant}.acc.q{level}.batch{count}"]
        assert sum(ours[:count]) / count == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(("rule", "inputs"), [("joint_all", True), ("joint_outputs_only", False)])
@pytest.mark.parametrize("level", range(4))
def test_later_accuracies_are_the_same(references, level, rule, inputs):
    reference = references["length", ""]
    ours = [accuracy(reference, i, level, inputs=inputs) for i in (0, 1)]
    theirs = reference.scalars[f"{rule}.stats.q{level}"]["acc"]
    assert sum(ours) / 2 == pytest.approx(theirs, abs=1e-6)


def of_segment(given, ids, *, ahead):
    """Cross entropy and accuracy of a segment by itself, whose first token nothing predicts."""
    if ahead:
        given, ids = given[:-1], ids[1:]
    hits = (given.topk(10).indices == ids[:, None]).any(-1)
    return cross_entropy(given, ids).item(), hits.double().mean().item()


@pytest.mark.parametrize("level", range(4))
def test_losses_by_segment_are_the_same(references, level):
    """With the factors .1 of the text and 1 of the response; that of a summed prompt is NaN there,
    since nothing is left to predict, and ours has none."""
    reference = references["length", ""]
    text, response = [], []
    for number in (0, 1):
        example, given = taught(reference, number, level)
        first, codes = example.segments[0].ids, example.target.ids[level]
        end = given[-len(codes) :]
        if level == 0:  # the stop token is the last target, and the code before it the last input
            codes = torch.cat([codes, torch.tensor([reference.model.stop])])
            end = torch.cat([end, end[-1:]])
        text.append(of_segment(given[: len(first)], first, ahead=level == 0))
        response.append(of_segment(end, codes, ahead=level == 0))
    means = {
        kind: [sum(values) / 2 for values in zip(*found, strict=True)]
        for kind, found in (("text", text), ("resp", response))
    }
    scalars = reference.scalars
    for rule in ("split_all", "split_outputs_only"):
        losses, stats = scalars[f"{rule}.loss.q{level}"], scalars[f"{rule}.stats.q{level}"]
        assert means["resp"][0] == pytest.approx(losses["resp.nll"], abs=TOLERANCE)
        assert means["resp"][1] == pytest.approx(stats["resp.acc"], abs=1e-6)
    losses, stats = scalars[f"split_all.loss.q{level}"], scalars[f"split_all.stats.q{level}"]
    assert 0.1 * means["text"][0] == pytest.approx(losses["text.nll"], abs=TOLERANCE)
    assert means["text"][1] == pytest.approx(stats["text.acc"], abs=1e-6)
    assert math.isnan(losses["prom.nll"])
    assert stats["prom.acc"] == 0


@pytest.mark.parametrize(("kind", "ahead"), [("nar00", False), ("len", True)])
def test_losses_of_a_text_by_other_heads_are_the_same(references, kind, ahead):
    """Causal states of a text are the same whatever follows it."""
    reference = references["length", ""]
    model = reference.model
    found = []
    for number in (0, 1):
        text = reference.sample(number).text
        with torch.no_grad():
            states = model.hidden([reference.example(number, 0, known=1)])[0][0, : len(text)]
            given = model.masked_logits(states) if kind == "nar00" else model.length_logits(states)
        found.append(of_segment(given, text, ahead=ahead)[0])
    losses = reference.scalars[f"split_all.loss.{kind}"]
    assert 0.1 * sum(found) / 2 == pytest.approx(losses["text.nll"], abs=TOLERANCE)
    assert math.isnan(losses["prom.nll"])
    # What the response's own loss is by itself is compared in tests/parity/test_len.py.
    joint = reference.scalars[f"joint_outputs_only.loss.{kind}"]["nll"]
    own = reference.scalars[f"split_outputs_only.loss.{kind}"]
    assert own == ({"resp.nll": pytest.approx(joint)} if kind == "nar00" else {})


@pytest.fixture
def lora(references, parity_folder, tmp_path):
    """The LoRA of the fixtures as its file would be, and the model that it belongs to."""
    source = parity_folder / "nov04_released_d64_l8" / "lora_r4_a8.safetensors"
    config = {"name": "lora", "rank": 4, "alpha": 8, "rvq_levels": [], "path": None}
    path = tmp_path / "lora.sft"
    save_file(load_file(source), path, metadata={"config": json.dumps(config)})
    return path


@pytest.mark.parametrize("merged", [False, True])
def test_a_lora_gives_the_same_numbers(references, registry, parity_folder, lora, merged):
    reference = references["released", "base"]
    model = load(reference.path, registry).model
    loras = Loras(model)
    loras.add(lora)
    assert next(iter(adapters(model, "1").values())).terms == Terms(4, 8.0)
    if merged:
        loras.merge()
    theirs = np.load(parity_folder / "nov04_released_d64_l8" / "lora_fixture.npz")
    for level in (0, 2):
        example = reference.example(0, level, known=max(level, 1))
        with torch.no_grad():
            states, _, _ = model.hidden([example])
            ours = model.logits(states[0], level)
        wanted = torch.from_numpy(theirs[f"lora.logits.q{level}.0"])
        close(ours, wanted[:, : ours.shape[-1]])
        if not merged:
            loras["lora"] = 0.0
            plain = reference[f"logits.q{level}.0"]
            with torch.no_grad():
                states, _, _ = model.hidden([example])
                close(model.logits(states[0], level), plain[:, : ours.shape[-1]])
            loras["lora"] = 1.0
