"""Early exit: a frame runs through only as many layers as are needed for a clear prediction.

As in LayerSkip (Elhoushi et al. 2024, https://arxiv.org/abs/2404.16710, section 4.2), whose exit
is a fixed layer; here it is the first layer whose distribution has low entropy and low
varentropy. Both are computed from the head's output, not from the hidden states.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from vall_e.config.layer_skip import ExitConfig
from vall_e.decoding.ar.layered_state import LayeredRows
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.interfaces.task import Sample, Task
from vall_e.model.layer_skip import layered
from vall_e.model.valle import Valle

OPTION = "sampling.exit"


class ExitingRows(LayeredRows):
    """After the prompt all layers predict; after a frame, the layers that it ran."""

    @torch.inference_mode()
    def __init__(
        self,
        options: ExitConfig,
        model: Valle,
        task: Task,
        samples: Sequence[Sample],
        *,
        most_frames: int,
        guidance: Guidance = UNGUIDED,
        copies: int = 1,
    ) -> None:
        self._options = options
        self._expected: Tensor | None = None
        super().__init__(
            model,
            task,
            samples,
            most_frames=most_frames,
            guidance=guidance,
            copies=copies,
            rests=range(options.after, _depth(model)),
            option=OPTION,
        )

    @torch.inference_mode()
    def logits(self) -> Float[Tensor, "b v"]:
        return super().logits() if self._expected is None else self._expected

    @torch.inference_mode()
    def select(self, rows: Int[Tensor, " r"]) -> None:
        super().select(rows)
        if self._expected is not None:
            self._expected = self._expected[rows]

    @torch.inference_mode()
    def append(self, tokens: Int[Tensor, " b"]) -> None:
        """Requests without a clear prediction after a span run the next one."""
        unsure = list(range(self.count))
        self._lay(self._rows(unsure), tokens.repeat(self.guidance.count))
        expected: list[Tensor] = [tokens.new_empty(0)] * self.count
        for span in self._spans:
            states = self._run(span, self._rows(unsure))
            logits = self._say(torch.stack([row[-1:] for row in states]))[:, 0]
            last = span == self._spans[-1]
            sure = [True] * len(unsure) if last else plain(logits, self._options).tolist()
            for request, row, leaves in zip(unsure, logits, sure, strict=True):
                if leaves:
                    expected[request] = row
                    self.efforts[request].frames += 1
                    self.efforts[request].layers += self._bounds[span + 1]
            unsure = [r for r, leaves in zip(unsure, sure, strict=True) if not leaves]
            if not unsure:
                break
        self._expected = torch.stack(expected)


def plain(logits: Float[Tensor, "b v"], options: ExitConfig) -> Bool[Tensor, " b"]:
    """Whether entropy (nats) and varentropy (nats^2) are low enough to exit."""
    log_p = logits.log_softmax(-1)
    p = log_p.exp()
    surprise = -log_p.masked_fill(p == 0, 0.0)  # impossible tokens add nothing
    entropy = (p * surprise).sum(-1)
    varentropy = (p * (surprise - entropy[:, None]).square()).sum(-1)
    return (entropy <= options.entropy) & (varentropy <= options.varentropy)


def _depth(model: Valle) -> int:
    return layered(model.backbone, name=model.config.backbone.name, option=OPTION).depth
