"""What a run makes of kills, signals and commands; each test starts processes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from safetensors.torch import load_file

from vall_e.config.load import structure
from vall_e.testing.fakes.tiny_dataset import write_dataset
from vall_e.weights.locate import checkpoints, find_weights, latest

pytestmark = pytest.mark.slow


@pytest.fixture
def start(bench):
    """Start `vall-e train` with its output in a folder of that name; ended after the test."""
    raw = {**bench.raw(max_steps=28, save_every=9), "codec": "embedded"}
    codec = structure(raw, bench.registry).codec.build()
    write_dataset(bench.folder / "data", codec, utterances=30)
    write_dataset(bench.folder / "held-out", codec, utterances=8, seed=1)
    config = bench.folder / "run.yaml"
    config.write_text(yaml.safe_dump(raw))
    processes = []

    def begin(name, *options, stdin=subprocess.DEVNULL):
        options = (*options, "--set", f"training.output={bench.folder / name}")
        with (bench.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "vall_e", "train", str(config), *options],
                stdin=stdin,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        processes.append(process)
        return process

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        if process.stdin:
            process.stdin.close()


def steps(bench, name):
    path = bench.folder / name / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    whole = text[: text.rfind("\n") + 1].splitlines()
    return [json.loads(line)["step"] for line in whole if '"loss"' in line]


def wait_for_step(bench, name, step):
    deadline = time.monotonic() + 300
    while len(steps(bench, name)) < step:
        assert time.monotonic() < deadline, (bench.folder / f"{name}.log").read_text()
        time.sleep(0.01)


def tell(process, *commands):
    process.stdin.write("".join(f"{command}\n" for command in commands).encode())
    process.stdin.flush()


def test_a_killed_run_resumes_bit_for_bit_and_listens_to_stdin(bench, start):
    through = start("through", stdin=subprocess.PIPE)
    tell(through, "save@2", "quit@20")
    assert through.wait() == 0
    names = [folder.name for folder in checkpoints(bench.folder / "through")]
    assert names == ["step-000002", "step-000009", "step-000018", "step-000020"]
    killed = start("killed")
    wait_for_step(bench, "killed", 10)
    killed.kill()
    killed.wait()
    assert len(steps(bench, "killed")) < 20, "it was killed too late to tell"
    resumed = start("killed", "--resume", stdin=subprocess.PIPE)
    tell(resumed, "quit@20")
    assert resumed.wait() == 0
    through, other = (load_file(find_weights(bench.folder / n)) for n in ("through", "killed"))
    assert through.keys() == other.keys()
    assert all(torch.equal(tensor, other[name]) for name, tensor in through.items())
    assert steps(bench, "killed") == list(range(1, 21))


def test_sigterm_saves_and_ends(bench, start):
    process = start("run", "--max-steps", "100000")
    wait_for_step(bench, "run", 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert "stopped by SIGTERM" in (bench.folder / "run.log").read_text()
    assert latest(bench.folder / "run").name == f"step-{steps(bench, 'run')[-1]:06d}"


def test_sigterm_to_all_processes_of_a_run_saves_and_ends(bench, start):
    """As a container or a batch system stops it: the loaders get the signal too."""
    process = start("run", "--max-steps", "100000", "--set", "data.workers=2")
    wait_for_step(bench, "run", 3)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == 0, (bench.folder / "run.log").read_text()
    assert latest(bench.folder / "run").name == f"step-{steps(bench, 'run')[-1]:06d}"
