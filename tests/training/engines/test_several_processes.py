"""Several processes train as one would, and end together; each test starts processes."""

import os
import signal
import subprocess
import time

import pytest
import torch
from safetensors.torch import load_file

from vall_e.weights.locate import checkpoints, find_weights

pytestmark = pytest.mark.slow

ONE_STEP_AT_A_TIME = (
    "--set=data.batch_seconds=2",
    "--set=model.dropout=0",
    "--set=training.max_steps=6",
)
"""Batches of one or two samples, many of them without a sample of one of the stages."""


def weights(bench, name):
    return load_file(find_weights(bench.folder / name))


def require_same(bench, name, other):
    found, expected = weights(bench, name), weights(bench, other)
    assert found.keys() == expected.keys()
    for key, tensor in found.items():
        torch.testing.assert_close(tensor, expected[key], rtol=1e-4, atol=1e-6, msg=key)


def finish(process):
    assert process.wait(timeout=300) == 0


def test_two_processes_equal_one_that_accumulates_two_batches(bench, start):
    finish(start("one", *ONE_STEP_AT_A_TIME, "--set=training.accumulation=2"))
    for name, options in (("ddp", ()), ("fsdp", ("--set=training.engine.shard=full",))):
        finish(start(name, *ONE_STEP_AT_A_TIME, *options, "--processes=2"))
        require_same(bench, name, "one")


def test_a_run_continues_with_another_number_of_processes(bench, start):
    """Four processes, then one, then two that are sharded: the same batches in every step."""
    finish(start("through", *ONE_STEP_AT_A_TIME, "--set=training.accumulation=4"))
    until = [*ONE_STEP_AT_A_TIME, "--set=training.save_every=2"]
    quits = [b"quit@2\n", b"quit@4\n", b""]
    parts = [
        ("--processes=4",),
        ("--resume", "--set=training.accumulation=4"),
        (
            "--resume",
            "--processes=2",
            "--set=training.accumulation=2",
            "--set=training.engine.shard=full",
        ),
    ]
    for commands, options in zip(quits, parts, strict=True):
        process = start("changing", *until, *options, stdin=subprocess.PIPE)
        process.stdin.write(commands)
        process.stdin.flush()
        finish(process)
    assert bench.steps("changing") == [1, 2, 3, 4, 5, 6]
    require_same(bench, "changing", "through")


@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_ends_the_run_and_is_named(bench, start, victim):
    process = start("run", "--processes=2", "--set=training.max_steps=5000")
    bench.wait_for_step("run", 5)
    os.kill(_ranks_of(process)[victim], signal.SIGKILL)
    began = time.monotonic()
    assert process.wait(timeout=300) == 9
    assert time.monotonic() - began < 30
    said = (bench.folder / "run.log").read_text()
    assert f"rank {victim} was killed by SIGKILL; the other processes were stopped" in said
    if victim == 1:
        kept = len(bench.steps("run"))
        assert checkpoints(bench.folder / "run")[-1].name == f"step-{kept:06d}"


def test_a_signal_to_one_process_saves_and_ends_all(bench, start):
    process = start("run", "--processes=2", "--set=training.max_steps=5000")
    bench.wait_for_step("run", 3)
    os.kill(_ranks_of(process)[1], signal.SIGTERM)
    finish(process)
    last = bench.steps("run")[-1]
    assert checkpoints(bench.folder / "run")[-1].name == f"step-{last:06d}"
    assert "stopped by SIGTERM on rank 1" in (bench.folder / "run.log").read_text()


def test_ctrl_c_saves_and_ends_all(bench, start):
    process = start("run", "--processes=2", "--set=training.max_steps=5000")
    bench.wait_for_step("run", 3)
    process.send_signal(signal.SIGINT)
    finish(process)
    last = bench.steps("run")[-1]
    assert checkpoints(bench.folder / "run")[-1].name == f"step-{last:06d}"


def test_a_silent_process_is_named_after_the_timeout(bench, start):
    process = start(
        "run",
        "--processes=2",
        "--set=training.max_steps=5000",
        "--set=training.engine.timeout_seconds=5",
    )
    bench.wait_for_step("run", 3)
    silent = _ranks_of(process)[1]
    os.kill(silent, signal.SIGSTOP)
    try:
        while "rank 1 does not answer" not in (bench.folder / "run.log").read_text():
            assert process.poll() is None, "it ended without naming the rank"
            time.sleep(0.1)
    finally:
        os.kill(silent, signal.SIGCONT)
    assert process.wait(timeout=300) == 9


def test_an_error_says_on_which_rank_it_was(bench, start):
    process = start("run", "--processes=2", "--set=data.train=[nowhere]")
    assert process.wait(timeout=300) == 8
    said = (bench.folder / "run.log").read_text()
    assert "Error: rank 0: " in said or "Error: rank 1: " in said


def _ranks_of(process):
    """The processes that torchrun's agent has started, by rank."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True
    )
    found = {}
    for pid in map(int, listed.stdout.split()):
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = dict(v.split(b"=", 1) for v in file.read().split(b"\0") if b"=" in v)
        if b"RANK" in variables:
            found[int(variables[b"RANK"])] = pid
    return found
