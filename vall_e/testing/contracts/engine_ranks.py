"""One rank of the contract of engines: `python -m ... FILE CLASS`, with torchrun's variables.

Prints what the rank found, as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

RANKS = 2
ROWS = torch.arange(12.0).reshape(4, 3) / 10
OWN_ROWS = (slice(0, 1), slice(1, 4))
"""The rows of each rank: not equally many."""


class Branches(nn.Module):
    """The loss of a batch of the second rank uses weights that one of the first does not use."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.common = nn.Linear(3, 3)
        self.second = nn.Linear(3, 1)

    def forward(self, x: Tensor, *, second: bool) -> dict[str, Tensor]:
        hidden = self.common(x)
        return {"loss": (self.second(hidden) if second else hidden).square().sum()}


def run_ranks(file: str, name: str) -> list[dict[str, Any]]:
    """What each of the ranks found. Raises `RuntimeError` with the output of one that failed."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    processes = [
        subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, "-m", __name__, file, name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "WORLD_SIZE": str(RANKS),
                "MASTER_ADDR": "localhost",
                "MASTER_PORT": port,
            },
        )
        for rank in range(RANKS)
    ]
    found = []
    for process in processes:
        out, err = process.communicate(timeout=300)
        if process.returncode:
            raise RuntimeError(err.strip().splitlines()[-1])
        found.append(json.loads(out.splitlines()[-1]))
    return found


def one_process() -> dict[str, Any]:
    """The same step as a single process takes it, in plain PyTorch."""
    model = Branches()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for rank in range(RANKS):
        model(ROWS[OWN_ROWS[rank]], second=rank == 1)["loss"].backward()
    norm = float(nn.utils.clip_grad_norm_(model.parameters(), 0.5))
    optimizer.step()
    return {"norm": norm, "weights": _flat(model)}


def main(file: str, name: str) -> None:
    spec = importlib.util.spec_from_file_location("contract_of_an_engine", file)
    assert spec is not None and spec.loader is not None  # noqa: PT018 - a Python file
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    engine = getattr(module, name)().make()
    model = Branches()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    called = engine.prepare(model, optimizer, device="cpu", precision="fp32")
    rank = engine.rank
    found: dict[str, Any] = {"rank": rank, "world_size": engine.world_size}
    with engine.accumulate(last=True):
        engine.backward(called(ROWS[OWN_ROWS[rank]], second=rank == 1)["loss"])
    found["norm"] = engine.step(clip_norm=0.5)
    found["weights"] = _flat(model)
    with engine.accumulate(last=True):
        bad = ROWS[:1] * (math.nan if rank == 1 else 1)
        engine.backward(called(bad, second=rank == 1)["loss"])
    found["norm_of_nan"] = str(engine.step(clip_norm=0.5))
    found["weights_after_nan"] = _flat(model)
    found["gathered"] = engine.gather({"from": rank, "nothing": None})
    engine.close()
    sys.stdout.write(json.dumps(found) + "\n")


def _flat(model: nn.Module) -> list[float]:
    wholes = [p.detach() for p in model.parameters()]
    wholes = [p.full_tensor() if hasattr(p, "full_tensor") else p for p in wholes]
    return torch.cat([p.cpu().flatten() for p in wholes]).tolist()


if __name__ == "__main__":
    main(*map(str, (Path(sys.argv[1]), sys.argv[2])))
