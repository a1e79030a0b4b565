import json
import math
import os
import time
from itertools import islice

import attrs
import pytest
import torch
from torch import nn

from vall_e.config.load import structure
from vall_e.errors import CheckpointError, DataError, TrainingError, UnavailableError
from vall_e.testing import StaircaseCodec
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.training.commands import Commands, RunCommand
from vall_e.training.loop import train, update, validate
from vall_e.training.run import RunCallbacks
from vall_e.training.run_lock import held_by_this_run
from vall_e.training.setup import open_run
from vall_e.weights.file import load
from vall_e.weights.locate import checkpoints, find_weights, latest


def weights(run):
    return {name: tensor.clone() for name, tensor in run.bundle.model.state_dict().items()}


def same(left, right):
    return all(torch.equal(tensor, right[name]) for name, tensor in left.items())


def lines(bench, name="run"):
    text = (bench.folder / name / "metrics.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"accumulation": 2, "precision": "bf16"}], ids=str)
def test_a_resumed_run_equals_an_uninterrupted_one(bench, options):
    through = bench.train("through", **options)
    bench.train("resumed", commands="quit@2", **options)
    again = bench.train("resumed", resume=True, commands="quit@4", **options)
    assert again.progress.step == 4
    resumed = bench.train("resumed", resume=True, **options)
    assert same(weights(through), weights(resumed))
    assert resumed.progress.samples == through.progress.samples
    assert resumed.loader.position == through.loader.position


def test_the_same_seed_gives_the_same_run_and_another_another(bench):
    first, second, third = bench.train("a"), bench.train("b"), bench.train("c", seed=1)
    assert same(weights(first), weights(second))
    assert not same(weights(first), weights(third))


def test_loader_processes_change_nothing(bench):
    alone, helped = bench.train("a"), bench.train("b", data={"workers": 2})
    assert same(weights(alone), weights(helped))


def test_validation_changes_nothing(bench):
    seldom, often = bench.train("a"), bench.train("b", evaluate_every=1)
    assert same(weights(seldom), weights(often))


def test_a_window_of_batches_is_one_large_batch(bench):
    """Also where one predicts more tokens than the other."""
    run = bench.open(accumulation=2)
    twin = bench.open("twin")
    run.bundle.model.eval()
    twin.bundle.model.eval()
    whole, other = (batch for batch, _ in zip(twin.loader, range(2), strict=False))
    small = attrs.evolve(other, examples=other.examples[:1], ids=other.ids[:1])
    losses = twin.objective([*whole.examples, *small.examples])
    twin.engine.backward(losses["loss"])
    expected = twin.engine.step(clip_norm=1e9)
    metrics = update(run, iter([whole, small]))
    assert metrics["grad_norm"] == pytest.approx(expected, rel=1e-5)
    assert metrics["loss"] == pytest.approx(losses["loss"].item(), rel=1e-5)
    assert metrics["samples"] == len(whole.ids) + 1


@pytest.mark.parametrize("size", [1, 3])
def test_each_metric_of_a_window_is_that_of_one_large_batch(bench, size):
    """Also where a batch has no sample of a stage: it then counts nothing, rather than as 0."""
    run = bench.open(accumulation=6 // size)
    twin = bench.open("twin")
    run.bundle.model.eval()
    twin.bundle.model.eval()
    found = {}
    for batch in islice(twin.loader, 3):
        for example, identity in zip(batch.examples, batch.ids, strict=True):
            found.setdefault(example.stage, []).append((example, identity, batch))
    chosen = [*found["ar"][:2], *found["nar"][:4]]
    parts = [chosen[i : i + size] for i in range(0, len(chosen), size)]
    batches = [
        attrs.evolve(p[0][2], examples=[e for e, _, _ in p], ids=[i for _, i, _ in p])
        for p in parts
    ]
    whole = twin.objective([example for example, _, _ in chosen])
    metrics = update(run, iter(batches))
    names = [name for name in whole if not name.startswith("tokens.")]
    assert {"nll.ar", "nll.nar", "accuracy.ar", "accuracy.nar"} <= set(names)
    for name in names:
        assert metrics[name] == pytest.approx(whole[name].item(), rel=1e-4), name


class Failing:
    """A loader that gives three batches and then an error."""

    def __init__(self, loader):
        self.loader = loader

    @property
    def position(self):
        return self.loader.position

    def __iter__(self):
        yield from islice(self.loader, 3)
        raise OSError("the disk is gone")


def test_what_was_learnt_is_kept_when_a_step_fails(bench):
    run = bench.open(save_every=100)
    run = attrs.evolve(run, loader=Failing(run.loader))
    with pytest.raises(OSError, match="the disk is gone"):
        train(run, Commands(), RunCallbacks())
    assert [folder.name for folder in checkpoints(run.folder)] == ["step-000003"]


def test_a_path_that_cannot_be_written_does_not_end_the_run(bench, caplog):
    run = bench.open()
    commands = Commands()
    commands.give(f"export {run.folder}@2")
    train(run, commands, RunCallbacks())
    assert run.progress.step == run.config.max_steps
    assert "cannot be written" in caplog.text


def test_metrics_say_what_happened(bench):
    bench.train(evaluate_every=3)
    steps = [line for line in lines(bench) if "loss" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5, 6]
    for name in ("lr", "grad_norm", "tokens_per_second", "seconds", "samples", "tokens"):
        assert steps[-1][name] > 0
    assert {"nll.ar", "nll.nar", "accuracy.ar"} <= set().union(*steps)
    found = [line for line in lines(bench) if "validation.ar" in line]
    assert [line["step"] for line in found] == [0, 3, 6]
    assert {"validation.ar_wrong_text", "validation.nar"} <= set(found[0])


def test_an_untrained_model_does_not_mind_the_text(bench):
    found = validate(bench.open())
    assert found["validation.ar_wrong_text"] == pytest.approx(found["validation.ar"], abs=0.05)


@pytest.mark.slow
def test_a_model_that_has_learnt_to_read_depends_on_the_text(bench):
    data = {"validation": [str(bench.folder / "data")], "without_prompt": 1}
    run = bench.train(data=data, max_steps=120, levels=[0], schedule="constant")
    found = validate(run)
    assert found["validation.ar_wrong_text"] > found["validation.ar"] + 0.1


def test_several_held_out_folders_are_distinguished(bench):
    folders = [str(bench.folder / name) for name in ("held-out", "data")]
    found = validate(bench.open(data={"validation": folders}))
    assert {"validation.ar", "validation.held-out.ar", "validation.data.ar"} <= set(found)


def test_only_levels_that_are_trained_are_validated(bench):
    assert "validation.nar" not in validate(bench.open(levels=[0]))
    assert "validation.ar" not in validate(bench.open(levels=[1, 2]))


def test_without_held_out_folders_nothing_is_validated(bench):
    assert validate(bench.open(data={"validation": []})) == {}


def test_a_checkpoint_is_a_complete_model(bench, registry):
    run = bench.train()
    bundle = load(find_weights(bench.folder / "run"), registry)
    assert same(weights(run), bundle.model.state_dict())
    assert bundle.codec == StaircaseCodec(levels=3).identity
    assert bundle.statistics["steps"] == 6
    assert bundle.vocabulary.encode("seven", unknown="error")


def test_old_checkpoints_go_and_those_made_by_hand_stay(bench):
    bench.train(save_every=1, keep=2, commands="save@2")
    names = [folder.name for folder in checkpoints(bench.folder / "run")]
    assert names == ["step-000002", "step-000005", "step-000006"]
    assert latest(bench.folder / "run").name == "step-000006"


def test_a_half_written_checkpoint_is_never_taken(bench):
    bench.train(commands="quit@2")
    part = bench.folder / "run" / "step-000004.part"
    part.mkdir()
    (part / "weights.safetensors").write_bytes(b"half")
    assert latest(bench.folder / "run").name == "step-000002"
    assert bench.train(resume=True).progress.step == 6


def test_metrics_of_lost_steps_are_cut_off(bench):
    bench.train(commands="quit@3")
    with (bench.folder / "run" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "loss": 1}\n{"step": 5, "lo')
    bench.train(resume=True)
    assert [line["step"] for line in lines(bench) if "loss" in line] == [1, 2, 3, 4, 5, 6]


def test_resume_without_a_checkpoint_starts(bench):
    assert bench.train(resume=True, commands="quit@1").progress.step == 1


def test_other_data_start_a_new_epoch(bench, caplog):
    bench.train(commands="quit@2")
    write_dataset(bench.folder / "data", StaircaseCodec(levels=3), utterances=12)
    run = bench.open(resume=True)
    assert run.loader.position.epoch > 0
    assert run.loader.position.batch == 0
    assert "a new epoch starts" in caplog.text


def test_a_loss_that_is_not_a_number_stops_and_names_the_batch(bench):
    run = bench.open()
    nn.init.constant_(run.bundle.model.heads.layers[0].bias, math.nan)
    nn.init.constant_(run.bundle.model.heads.layers[1].bias, math.nan)
    nn.init.constant_(run.bundle.model.heads.layers[2].bias, math.nan)
    batch = next(iter(run.loader))
    with pytest.raises(
        TrainingError, match="the loss is nan in step 1; utterances in the batch: "
    ) as caught:
        update(run, iter([batch]))
    assert all(identity in caught.value.message for identity in batch.ids)


def test_a_gradient_that_is_not_a_number_stops_and_leaves_the_weights(bench):
    run = bench.open()
    before = weights(run)
    run.bundle.model.embedding.separator.register_hook(lambda gradient: gradient * math.nan)
    with pytest.raises(TrainingError, match="gradient norm is nan in step 1"):
        update(run, iter(run.loader))
    assert same(weights(run), before)


def test_commands_are_carried_out_when_due(bench, registry):
    files = []
    run = bench.train(
        commands="lr 0.5@2\neval@1\nexport@3\nexport mine.safetensors@3\nquit@4\nsing",
        watch=RunCallbacks(on_file=files.append),
        schedule="constant",
    )
    assert run.progress.step == 4
    rates = [line["lr"] for line in lines(bench) if "lr" in line]
    assert rates == [0.01, 0.01, 0.5, 0.5]
    assert [line["step"] for line in lines(bench) if "validation.ar" in line] == [0, 1]
    names = ["weights-000003.safetensors", "mine.safetensors", "step-000004"]
    assert [path.name for path in files] == names
    assert load(bench.folder / "run" / "mine.safetensors", registry).statistics["steps"] == 3


def test_a_changed_rate_survives_resuming(bench):
    bench.train(commands="lr 0.5@1\nquit@2", schedule="constant")
    bench.train(resume=True, schedule="constant")
    assert [line["lr"] for line in lines(bench) if "lr" in line] == [0.01, 0.5, 0.5, 0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("line", "order"),
    [
        ("save", RunCommand("save")),
        ("  quit @ 500 ", RunCommand("quit", step=500)),
        ("lr 1e-4@20", RunCommand("lr", "1e-4", 20)),
        ("export out/x.safetensors", RunCommand("export", "out/x.safetensors")),
    ],
)
def test_commands_are_read(line, order):
    assert RunCommand.parse(line) == order


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("sing", "unknown command 'sing'; use one of save, eval, export, lr, quit"),
        ("lr", "lr takes a positive number, as in `lr 1e-4`, not ''"),
        ("lr -1", "not '-1'"),
        ("lr nan", "not 'nan'"),
        ("save it", "save takes no argument, got 'it'"),
    ],
)
def test_mistaken_commands_are_explained(line, says):
    with pytest.raises(ValueError, match=says):
        RunCommand.parse(line)


def test_commands_come_through_a_pipe_that_may_close():
    reader, writer = os.pipe()
    commands = Commands()
    commands.listen(reader)
    os.write(writer, b"save\nqu")
    os.write(writer, b"it@7")
    os.close(writer)
    deadline = time.monotonic() + 120
    found = []
    while len(found) < 2 and time.monotonic() < deadline:
        found += commands.due(7)
    assert found == [RunCommand("save"), RunCommand("quit", step=7)]


def test_overfitting_one_utterance_brings_the_loss_down(bench):
    run = bench.train(overfit=1, max_steps=60, data={"seconds": [0.1, 20]}, schedule="constant")
    first, last = lines(bench)[0], lines(bench)[-1]
    assert len(run.loader.order.utterances) == 1
    assert last["loss"] < 0.7 * first["loss"]


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"data": {"train": []}}, DataError, "data.train lists no dataset"),
        ({"data": {"train": ["/nowhere"]}}, DataError, "/nowhere is not a dataset"),
        ({"data": {"seconds": [100, 200]}}, DataError, "no utterances are left .* 30 under 100 s"),
        ({"device": "toaster"}, UnavailableError, "training.device: there is no device 'toaster'"),
    ],
    ids=str,
)
def test_what_cannot_start_says_why(bench, change, error, says):
    with pytest.raises(error, match=says) as caught:
        bench.open(**change)
    assert caught.value.hint


def test_a_run_is_not_started_over_another(bench):
    bench.train(commands="quit@1")
    with pytest.raises(TrainingError, match="already contains a run, with step-000001") as caught:
        bench.open()
    assert "--resume" in caught.value.hint


def test_a_checkpoint_of_another_model_is_refused(bench):
    bench.train(commands="quit@1")
    raw = bench.raw()
    raw["model"]["backbone"]["d_model"] = 32
    config = structure(raw, bench.registry)
    with pytest.raises(
        CheckpointError, match=r"different options: model.backbone.d_model \(16, not 32\)"
    ):
        open_run(config, bench.folder / "run", resume=True)


def test_held_out_data_of_another_codec_are_refused(bench):
    write_dataset(bench.folder / "held-out", StaircaseCodec(levels=2), utterances=3)
    with pytest.raises(DataError, match=r"held-out with codec staircase:2.*, levels 2"):
        bench.open()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"text_stride": 2}, "model.text_stride (1, not 2)"),
        ({"positions": "unified"}, "model.positions (segment, not unified)"),
        ({"prompt_levels": "known"}, "model.prompt_levels (all, not known)"),
    ],
)
def test_weights_are_not_resumed_as_another_model(bench, changes, says):
    bench.train(commands="quit@2")
    with pytest.raises(CheckpointError) as caught:
        bench.train(resume=True, model=changes)
    assert says in caught.value.message


def test_an_optimizer_whose_state_has_another_shape_is_not_resumed(bench):
    bench.train(commands="quit@2", optimizer={"name": "muon", "lr": 0.01})
    bench.train(resume=True, commands="quit@3", optimizer={"name": "muon", "lr": 0.02})
    with pytest.raises(CheckpointError) as caught:
        bench.open(resume=True, optimizer={"name": "muon", "rest": ["embedding.*"]})
    changed = 'training.optimizer.rest (["embedding.*", "heads.*"], not ["embedding.*"])'
    assert changed in caught.value.message


def test_what_leaves_the_weights_their_meaning_may_change(bench):
    bench.train(commands="quit@2")
    again = bench.train(resume=True, model={"dropout": 0.1, "attention": "eager"})
    assert again.progress.step == 6


def test_what_a_killed_run_left_unfinished_is_removed(bench):
    run = bench.train(max_steps=1)
    (run.folder / "step-000009.part").mkdir()
    (run.folder / "step-000009.part" / "weights.safetensors").write_bytes(b"half")
    (run.folder / "metrics.jsonl.part").write_bytes(b"half")
    with held_by_this_run(run.folder, {}):
        assert not list(run.folder.glob("*.part"))
    assert [folder.name for folder in checkpoints(run.folder)] == ["step-000001"]
