"""The engine `local`: one process and one device, or as many as torchrun started (DDP, FSDP2)."""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from vall_e.device import find_device
from vall_e.errors import UnavailableError
from vall_e.training.engines.options import LocalEngineConfig
from vall_e.training.engines.process_group import ProcessGroup
from vall_e.training.engines.sharding import Sharded, drop_unused, shard
from vall_e.training.ranks import Ranks

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}

T = TypeVar("T")


class LocalEngine:
    """Weights stay float32; `bf16` and `fp16` are the precision of autocast operations.

    fp16 scales the loss, so that small gradients do not vanish, and skips a step whose
    gradients overflow. Several processes compute the gradient of all their batches together.
    """

    def __init__(self, config: LocalEngineConfig | None = None, ranks: Ranks | None = None) -> None:
        self.config = config or LocalEngineConfig()
        self.ranks = ranks or Ranks()
        self.device = torch.device("cpu")
        self.rank = self.ranks.rank
        self.world_size = self.ranks.world_size
        self.sharded = self.world_size > 1 and self.config.shard == "full"
        self.group: ProcessGroup | None = None
        self.called: nn.Module | None = None

    def prepare(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        device: str,
        precision: str,
    ) -> nn.Module:
        """Raise `UnavailableError` if this machine does not have the device."""
        if self.sharded and precision == "fp16":
            raise UnavailableError(
                "a sharded model cannot be trained in fp16: each process would scale its own loss",
                hint="set training.precision to bf16, or training.engine.shard to none",
            )
        self.device = find_device(self._own(device), option="training.device")
        self.optimizer = optimizer
        self.dtype = DTYPES.get(precision)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")
        model = model.to(self.device)
        if optimizer.state:  # some have state from the start, on the weights' former device
            optimizer.load_state_dict(optimizer.state_dict())
        self.called = self._joined(model) if self.world_size > 1 else model
        return self.called

    def _own(self, device: str) -> str:
        """Of several GPUs, the one of this process."""
        several = self.world_size > 1 and torch.cuda.is_available()
        return f"cuda:{self.ranks.local_rank}" if several and device in ("auto", "cuda") else device

    def _joined(self, model: nn.Module) -> nn.Module:
        """The model as all processes train it together."""
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        self.group = ProcessGroup(self.ranks, self.device, self.config.timeout_seconds)
        with self.group.naming_lost_ranks():
            if self.sharded:
                return shard(model, self.optimizer, self.device, self.world_size)
            # A batch may lack the samples of a stage, and then does not use all weights.
            return DistributedDataParallel(model, find_unused_parameters=True)

    def autocast(self) -> AbstractContextManager[object]:
        """The context of the forward pass, and only of that."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def accumulate(self, *, last: bool) -> AbstractContextManager[object]:
        """The context of a batch's passes; gradients are exchanged in the last one of a step."""
        if isinstance(self.called, DistributedDataParallel) and not last:
            return self.called.no_sync()
        return nullcontext()

    def backward(self, loss: Float[Tensor, ""]) -> None:
        # Both ways of training together average over the processes; their losses are shares of one.
        whole = self.scaler.scale(loss * self.world_size)
        with self.group.naming_lost_ranks() if self.group else nullcontext():
            whole.backward()  # type: ignore[no-untyped-call]

    def step(self, *, clip_norm: float) -> float:
        """Without a scaler, gradients that are not finite change nothing; the norm shows them."""
        if isinstance(self.called, Sharded):
            drop_unused(self.called, self.gather(self.called.used))
        self.scaler.unscale_(self.optimizer)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        total = nn.utils.clip_grad_norm_(parameters, clip_norm)
        norm = float(total.full_tensor() if isinstance(total, DTensor) else total)
        if math.isfinite(norm) or self.scaler.is_enabled():
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def gather(self, value: T) -> list[T]:
        """The value of each rank, in their order."""
        return self.group.gather(value) if self.group else [value]

    def close(self) -> None:
        """Leave the other processes."""
        if self.group:
            self.group.close()
        self.group = None

    def state_dict(self) -> dict[str, Tensor]:
        """The loss scale of fp16; otherwise empty."""
        return {key: torch.tensor(value) for key, value in self.scaler.state_dict().items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        if self.scaler.is_enabled() and state:
            self.scaler.load_state_dict({key: value.item() for key, value in state.items()})
