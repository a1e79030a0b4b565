"""Each option of training and data does what it says, seen in what a run makes of it."""

import copy
import json
import math
from collections import Counter
from itertools import islice

import attrs
import pytest
import torch
from attrs import frozen

from vall_e.data.batching.corpus import make_corpus, texts_of
from vall_e.data.batching.mixing import Materials
from vall_e.data.dataset.folder import Dataset
from vall_e.discovery import registry_of
from vall_e.errors import CheckpointError, DataError, TrainingError
from vall_e.plugin import Component, hookimpl
from vall_e.registry import Registry
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.text.vocabulary import Vocabulary
from vall_e.training.commands import Commands
from vall_e.training.loop import LostSteps, train, update, validate
from vall_e.training.metrics import MetricsFile
from vall_e.training.run import RunCallbacks
from vall_e.training.validation import ValidationBatch, evaluate, make_trials
from vall_e.weights.file import load
from vall_e.weights.locate import find_weights

WARMUP = {"name": "warmup", "warmup_steps": 3}
SGD = {"name": "sgd", "lr": 1.0, "momentum": 0.0}


def rates(bench):
    text = (bench.folder / "run" / "metrics.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    return [line["lr"] for line in found if "lr" in line]


def test_each_step_has_the_rate_of_its_schedule(bench):
    """Also the one after resuming."""
    bench.train(schedule=WARMUP, commands="quit@2")
    bench.train(schedule=WARMUP, resume=True)
    assert rates(bench) == pytest.approx([0.01 / 3, 0.02 / 3, 0.01, 0.01, 0.01, 0.01])


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_products_have_the_precision(bench, precision, dtype):
    run = bench.open(precision=precision, levels=[0])
    seen = set()
    head = run.bundle.model.heads.layers[0]
    head.register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    update(run, iter(run.loader))
    assert seen == {dtype}
    assert {parameter.dtype for parameter in run.bundle.model.parameters()} == {torch.float32}


@pytest.mark.parametrize("norm", [0.1, 0.01])
def test_gradients_are_clipped_to_the_norm(bench, norm):
    run = bench.open(clip_norm=norm, optimizer=SGD, schedule="constant")
    before = [parameter.detach().clone() for parameter in run.bundle.model.parameters()]
    assert update(run, iter(run.loader))["grad_norm"] > norm
    moved = [p.detach() - old for p, old in zip(run.bundle.model.parameters(), before, strict=True)]
    length = math.sqrt(sum(float((part**2).sum()) for part in moved))
    assert length == pytest.approx(norm, rel=1e-3)


@pytest.mark.parametrize("ignore", [True, False])
def test_inputs_count_in_the_loss_if_they_are_not_ignored(bench, ignore):
    run = bench.open(ignore_inputs=ignore, levels=[0], model={"dropout": 0.0})
    batch = next(iter(run.loader))
    expected = {flag: run.bundle.model.loss(batch.examples, ignore_inputs=flag).total.item()
                for flag in (True, False)}  # fmt: skip
    assert abs(expected[True] - expected[False]) > 1e-3
    assert update(run, iter([batch]))["loss"] == pytest.approx(expected[ignore], rel=1e-5)


def test_folders_are_drawn_from_by_their_shares(bench):
    write_dataset(bench.folder / "more", StaircaseCodec(levels=3), utterances=30, seed=2)
    folders = [str(bench.folder / name) for name in ("data", "more")]
    run = bench.open(data={"train": folders, "shares": [3, 1]})
    drawn = Counter(draw.utterance < 30 for batch in run.loader.order.epoch(0) for draw in batch)
    assert drawn == {True: 45, False: 15}


def test_validation_has_no_dropout_and_leaves_training_on(bench):
    run = bench.open(model={"dropout": 0.5})
    run.bundle.model.train()
    assert validate(run) == validate(run)
    assert run.bundle.model.training


def test_validation_weighs_every_token_alike(bench):
    run = bench.open(levels=[0])
    model = run.bundle.model.eval()
    few, many = sorted((b.examples for b in islice(run.loader, 2)), key=len)
    few = sorted(few, key=lambda example: len(example.target))[:1]
    apart = evaluate(
        run.objective,
        [ValidationBatch("ar", "ar", few), ValidationBatch("ar", "ar", many)],
        run.engine,
    )
    together = evaluate(run.objective, [ValidationBatch("ar", "ar", [*few, *many])], run.engine)
    assert apart["ar"] == pytest.approx(together["ar"], rel=1e-5)
    mean = (model.loss(few).nll["ar"] + model.loss(many).nll["ar"]) / 2
    assert abs(mean.item() - together["ar"]) > 1e-4, "a plain mean would do as well"


def _trials(bench, *, levels, **data):
    run = bench.open(data=data)
    dataset = Dataset(bench.folder / "held-out")
    corpus = make_corpus(
        [dataset], Vocabulary.of("".join(texts_of([dataset]))), ("en-us",), seconds=(0, 60)
    )
    config = attrs.evolve(run.bundle.config.data, **data)
    task = run.bundle.config.tasks[0].build()
    return make_trials(Materials(corpus), task, config, levels=levels, seconds=1000)


def _parts(examples, name):
    return [next(s.ids.tolist() for s in e.segments if s.name == name) for e in examples]


def test_levels_are_validated_evenly_whatever_the_batches(bench):
    """A batch of one must not always test the same level."""
    trials = _trials(bench, levels=[0, 1, 2], batch_seconds=0.1)
    levels = Counter(e.level for t in trials if t.stage == "nar" for e in t.examples)
    assert levels == {1: 4, 2: 4}


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        (
            {"codec": {"name": "staircase", "levels": 2}},
            r"data was made with codec staircase:3.*, the config has codec staircase:2",
        ),
        (
            {"text": {"phonemizer": "espeak"}},
            r"data was made with phonemizer none, the config has phonemizer espeak",
        ),
    ],
    ids=["codec", "phonemizer"],
)
def test_a_dataset_that_the_config_did_not_make_is_refused(bench, sections, says):
    with pytest.raises(DataError, match=says) as caught:
        bench.open(sections=sections)
    assert "data process" in caught.value.hint


ADAMW = {"name": "adamw", "lr": 0.01}


def test_changed_options_of_the_optimizer_count_after_resuming(bench):
    bench.train(commands="quit@2", schedule="constant")
    changed = {**ADAMW, "weight_decay": 0.2, "beta2": 0.9}
    run = bench.open(resume=True, schedule="constant", optimizer=changed)
    matrices, vectors = run.optimizer.param_groups
    assert (matrices["weight_decay"], vectors["weight_decay"]) == (0.2, 0.0)
    assert matrices["betas"][1] == 0.9
    assert run.optimizer.state[matrices["params"][0]]["step"] == 2


def test_what_an_optimizer_learnt_about_itself_comes_back(bench):
    """Some keep numbers of their own beside the options."""
    run = bench.open()
    run.optimizer.param_groups[0]["eps"] = 0.5
    commands = Commands()
    commands.give("quit@1")
    train(run, commands, RunCallbacks())
    again = bench.open(resume=True, optimizer={**ADAMW, "weight_decay": 0.2})
    assert again.optimizer.param_groups[0]["eps"] == 0.5
    assert again.optimizer.param_groups[0]["weight_decay"] == 0.2


def test_another_optimizer_does_not_resume(bench):
    bench.train(commands="quit@1")
    with pytest.raises(CheckpointError, match=r"training.optimizer.name \(adamw, not sgd\)"):
        bench.open(resume=True, optimizer=SGD)


def test_batches_of_another_size_start_a_new_epoch_of_the_same_data(bench, caplog):
    bench.train(commands="quit@2")
    run = bench.open(resume=True, data={"batch_seconds": 6})
    assert run.loader.position.epoch > 0
    assert "batches are formed differently than before: a new epoch starts" in caplog.text
    assert "the data are not those" not in caplog.text


@frozen
class NoOptions:
    """No options."""


def _copied(model):
    """A new module, so that whoever keeps the old one trains or saves the wrong weights."""
    made = copy.deepcopy(model)
    made.copied = True
    return made


def _renamed(model):
    model.more = torch.nn.Linear(2, 2)
    return model


class Wrapping:
    """A plugin with wrappers."""

    @hookimpl
    def vall_e_register_wrappers(self):
        made = {"copying": _copied, "boxing": torch.nn.Sequential, "renaming": _renamed}
        return [
            Component(name, NoOptions, lambda config, wrap=wrap: wrap, "to test with")
            for name, wrap in made.items()
        ]


@pytest.fixture
def wrapping(bench):
    offers = [attrs.evolve(o, distribution="wrapping") for o in registry_of([Wrapping()]).offers]
    return attrs.evolve(bench, registry=Registry([*bench.registry.offers, *offers]))


def test_what_a_wrapper_returns_is_trained_and_saved(wrapping):
    run = wrapping.open(wrappers=["copying"])
    assert run.bundle.model.copied
    before = copy.deepcopy(run.bundle.model.state_dict())
    train(run, Commands(), RunCallbacks())
    after = load(find_weights(run.folder), wrapping.registry).model.state_dict()
    assert all(
        torch.equal(after[key], value) for key, value in run.bundle.model.state_dict().items()
    )
    assert not any(torch.equal(after[key], before[key]) for key in before if "backbone" in key)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("boxing", "training.wrappers: boxing returned a Sequential, not a Valle"),
        ("renaming", "training.wrappers: renaming changes the names of the weights"),
    ],
)
def test_a_wrapper_whose_weights_could_not_be_read_is_refused(wrapping, name, says):
    with pytest.raises(TrainingError, match=says) as caught:
        wrapping.open(wrappers=[name])
    assert "report it to its authors" in caught.value.hint


def test_fp16_that_never_finds_a_scale_ends_the_run(bench):
    lost = LostSteps()
    for _ in range(LostSteps.LIMIT - 1):
        lost(math.inf)
    lost(1.0)
    for _ in range(LostSteps.LIMIT - 1):
        lost(math.nan)
    with pytest.raises(TrainingError, match="50 consecutive steps were not finite") as caught:
        lost(math.inf)
    assert "training.precision" in caught.value.hint


def test_a_run_counts_its_lost_steps(bench):
    run = bench.open(overfit=1, precision="fp16", max_steps=200, levels=[0])
    run.bundle.model.embedding.separator.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(TrainingError, match="not finite in fp16"):
        train(run, Commands(), RunCallbacks())
    assert run.progress.step == LostSteps.LIMIT


def test_metrics_are_json_also_where_a_number_is_none(tmp_path):
    with MetricsFile(tmp_path, step=0) as file:
        file.write({"step": 1, "grad_norm": math.inf, "loss": math.nan, "lr": 0.5})
    line = (tmp_path / "metrics.jsonl").read_text()
    assert line == '{"step": 1, "grad_norm": null, "loss": null, "lr": 0.5}\n'


def test_overfitting_more_than_there_is_says_so(bench, caplog):
    bench.open(overfit=31)
    assert "31 utterances requested, but there are only 30" in caplog.text


def test_a_run_without_held_out_data_says_so_when_asked_to_validate(bench, caplog):
    bench.train(data={"validation": []}, commands="eval@1\nquit@2")
    assert "eval: there is no validation data" in caplog.text
