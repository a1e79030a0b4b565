"""The same Llama in Transformers, with its own cache.

Its time shows how fast a machine is. e-c-k-e-r/vall-e was timed together with it on another
machine; the ratio of the two times transfers that figure to this one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from vall_e.errors import UnavailableError

CODES = 1025
"""Including the one that ends a sentence."""


def transformers_loop(
    *, d_model: int, layers: int, heads: int, d_ff: int, read: int, written: int
) -> Callable[[], object]:
    """A function that prefills these positions and generates the likeliest codes one by one.

    Weights are random, on the CPU, in fp32. Raises `UnavailableError` without Transformers.
    """
    try:
        from transformers import DynamicCache, LlamaConfig, LlamaModel
    except ImportError as exc:
        raise UnavailableError(
            "transformers is not installed", hint="pip install 'vall-e[encodec]'"
        ) from exc
    config = LlamaConfig(
        vocab_size=8,  # unused: frames are embedded below
        hidden_size=d_model,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=d_ff,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        backbone, start = LlamaModel(config), torch.randn(1, read, d_model)
        table, head = nn.Embedding(CODES, d_model), nn.Linear(d_model, CODES)

    @torch.inference_mode()
    def loop() -> None:
        cache, inputs = DynamicCache(config=config), start
        for _ in range(written):
            out = backbone(inputs_embeds=inputs, past_key_values=cache, use_cache=True)
            inputs = table(head(out.last_hidden_state[:, -1:]).argmax(-1))

    return loop
