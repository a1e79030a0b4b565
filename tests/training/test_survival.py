"""What a run makes of kills, signals and commands; each test starts processes."""

import os
import signal
import subprocess

import pytest
import torch
from safetensors.torch import load_file

from vall_e.weights.locate import checkpoints, find_weights, latest

pytestmark = pytest.mark.slow


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
    bench.wait_for_step("killed", 10)
    killed.kill()
    killed.wait()
    assert len(bench.steps("killed")) < 20, "it was killed too late to tell"
    resumed = start("killed", "--resume", stdin=subprocess.PIPE)
    tell(resumed, "quit@20")
    assert resumed.wait() == 0
    through, other = (load_file(find_weights(bench.folder / n)) for n in ("through", "killed"))
    assert through.keys() == other.keys()
    assert all(torch.equal(tensor, other[name]) for name, tensor in through.items())
    assert bench.steps("killed") == list(range(1, 21))


def test_sigterm_saves_and_ends(bench, start):
    process = start("run", "--max-steps", "100000")
    bench.wait_for_step("run", 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    assert "stopped by SIGTERM" in (bench.folder / "run.log").read_text()
    assert latest(bench.folder / "run").name == f"step-{bench.steps('run')[-1]:06d}"


def test_sigterm_to_all_processes_of_a_run_saves_and_ends(bench, start):
    """As a container or a batch system stops it: the loaders get the signal too."""
    process = start("run", "--max-steps", "100000", "--set", "data.workers=2")
    bench.wait_for_step("run", 3)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait() == 0, (bench.folder / "run.log").read_text()
    assert latest(bench.folder / "run").name == f"step-{bench.steps('run')[-1]:06d}"
