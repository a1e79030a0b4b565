"""The engine `local`: one process, one device."""

import math
from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vall_e.device import find_device

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class LocalEngine:
    """Weights stay float32; `bf16` and `fp16` are the precision of autocast operations.

    fp16 scales the loss, so that small gradients do not vanish, and skips a step whose
    gradients overflow.
    """

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self.rank = 0
        self.world_size = 1

    def prepare(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        device: str,
        precision: str,
    ) -> nn.Module:
        """Raise `UnavailableError` if this machine does not have the device."""
        self.device = find_device(device, option="training.device")
        self.optimizer = optimizer
        self.dtype = DTYPES.get(precision)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")
        model = model.to(self.device)
        if optimizer.state:  # some have state from the start, on the weights' former device
            optimizer.load_state_dict(optimizer.state_dict())
        return model

    def autocast(self) -> AbstractContextManager[object]:
        """The context of the forward pass, and only of that."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    def backward(self, loss: Float[Tensor, ""], *, last: bool) -> None:
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def step(self, *, clip_norm: float) -> float:
        """Without a scaler, gradients that are not finite change nothing; the norm shows them."""
        self.scaler.unscale_(self.optimizer)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = float(nn.utils.clip_grad_norm_(parameters, clip_norm))
        if math.isfinite(norm) or self.scaler.is_enabled():
            self.scaler.step(self.optimizer)
            self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def state_dict(self) -> dict[str, Tensor]:
        """The loss scale of fp16; otherwise empty."""
        return {key: torch.tensor(value) for key, value in self.scaler.state_dict().items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        if self.scaler.is_enabled() and state:
            self.scaler.load_state_dict({key: value.item() for key, value in state.items()})
