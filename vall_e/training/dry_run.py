"""One small pass before a run begins, so that errors of this machine show at once."""

from __future__ import annotations

import torch
from torch import nn

from vall_e.interfaces.training import Engine
from vall_e.model.valle import Valle


def dry_run(model: Valle, engine: Engine) -> None:
    """Raise what the first step would raise: a missing attention kernel, for example.

    The backbone runs over two short rows, one of them padded, as it is (not compiled). Weights,
    gradients and random state do not change. In a run of several processes nothing is tried: a part
    of a model may not run alone.
    """
    if engine.world_size > 1:
        return
    backbone, device = model.backbone, model.device
    assert isinstance(backbone, nn.Module)  # noqa: S101 - as its protocol says
    devices = [device] if device.type == "cuda" else []
    for causal in sorted(_causal_modes(model)):
        with (
            torch.random.fork_rng(devices=devices),
            engine.autocast(),
            model.predicting([0, 0]),
        ):
            backbone.forward(
                torch.zeros(2, 4, backbone.d_model, device=device, requires_grad=True),
                lengths=torch.tensor([4, 3], device=device),
                positions=torch.arange(4, device=device).expand(2, 4),
                causal=causal,
            )


def _causal_modes(model: Valle) -> set[bool]:
    """Whether its stages are causal."""
    ahead = model.backbone.bidirectional and model.config.nar_attention != "causal"
    return {name == "ar" or not ahead for name in model.config.capabilities}
