"""Self-speculative decoding: drafts by the first layers, checked by all in one pass.

LayerSkip (Elhoushi et al. 2024, https://arxiv.org/abs/2404.16710, section 4.3): the first layers'
part of the cache and the states that left them serve the check, too. Unlike there the sampler
draws from what all layers say, at every frame, and a draft only counts where it is what was drawn:
so any sampler writes the same tokens as without drafts, of the same seed (up to rounding).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from vall_e.config.layer_skip import SpeculativeConfig
from vall_e.decoding.ar.layered_state import LayeredRows
from vall_e.decoding.guidance import UNGUIDED, Guidance
from vall_e.interfaces.task import Sample, Task
from vall_e.model.valle import Valle


class SpeculativeRows(LayeredRows):
    """Each request has drafts, and the predictions of all layers now and after each draft."""

    @torch.inference_mode()
    def __init__(
        self,
        options: SpeculativeConfig,
        model: Valle,
        task: Task,
        samples: Sequence[Sample],
        *,
        most_frames: int,
        guidance: Guidance = UNGUIDED,
        copies: int = 1,
    ) -> None:
        self._options = options
        self._drafts: list[list[int]] = []
        self._expected: list[Tensor] = []
        super().__init__(
            model,
            task,
            samples,
            most_frames=most_frames + options.drafts,
            guidance=guidance,
            copies=copies,
            rests=[options.layers],
            option="sampling.speculative",
        )
        self._drafts = [[] for _ in range(self.count)]
        self._expected = list(super().logits()[:, None])  # (1, v) each

    @torch.inference_mode()
    def logits(self) -> Float[Tensor, "b v"]:
        return torch.stack([expected[0] for expected in self._expected])

    @torch.inference_mode()
    def select(self, rows: Int[Tensor, " r"]) -> None:
        super().select(rows)
        if self._drafts:
            self._drafts = [list(self._drafts[row]) for row in rows.tolist()]
            self._expected = [self._expected[row] for row in rows.tolist()]

    @torch.inference_mode()
    def append(self, tokens: Int[Tensor, " b"]) -> None:
        """Nothing runs where the token equals the draft."""
        wrong = []
        for request, token in enumerate(tokens.tolist()):
            if self._drafts[request][:1] == [token]:
                self._drafts[request].pop(0)
                self._expected[request] = self._expected[request][1:]
                self.efforts[request].accepted += 1
            else:
                self._take_back(request)
                wrong.append(request)
        if wrong:
            self._draft(wrong, tokens[torch.tensor(wrong, device=tokens.device)])

    def _take_back(self, request: int) -> None:
        """Discard the remaining drafts."""
        for row in self._rows([request]):
            for filled in self._filled:
                filled[row] -= len(self._drafts[request])
        self._drafts[request] = []

    def _draft(self, requests: Sequence[int], tokens: Int[Tensor, " q"]) -> None:
        """Append these tokens, draft further ones, and check all of them with all layers."""
        rows, drafted = self._rows(requests), []
        for place in range(self._options.drafts + 1):
            self._lay(rows, tokens.repeat(self.guidance.count))
            states = torch.stack(self._run(0, rows))  # (r, 1, d)
            if place < self._options.drafts:
                # Stop tokens are left to all layers: nothing could be drafted after one.
                tokens = self._say(states)[:, 0, : self.model.stop].argmax(-1)
                drafted.append(tokens)
        expected = self._say(torch.stack(self._run(1, rows)))  # (q, drafts + 1, v)
        said = torch.stack(drafted, dim=1).tolist()
        for request, drafts, logits in zip(requests, said, expected, strict=True):
            self._drafts[request] = drafts
            self._expected[request] = logits
            self.efforts[request].drafted += len(drafts)
