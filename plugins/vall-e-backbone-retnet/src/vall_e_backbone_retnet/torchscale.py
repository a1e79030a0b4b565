"""RetNet as Microsoft's torchscale computes it (https://github.com/microsoft/torchscale)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from vall_e.plugin import Cache, UnavailableError
from vall_e_backbone_retnet.options import RetNetConfig
from vall_e_backbone_retnet.retnet import RetNetCache, require_causal


class TorchscaleRetNet(nn.Module):
    """`RetNetDecoder` without embedding and output layer; its tensors have the names of `RetNet`.

    It counts positions itself, and has no cache that rows of different lengths could share.
    """

    bidirectional = False
    caches = False

    def __init__(self, config: RetNetConfig) -> None:
        super().__init__()
        if config.experts > 1:
            raise UnavailableError(
                "retnet: torchscale's experts have different weights than ours",
                hint="use the backbone retnet-hf, or experts: 1",
            )
        decoder = _decoder(config)
        self.d_model = config.d_model
        self.layers = decoder.layers
        self.layer_norm = decoder.layer_norm
        # Not a child: its parameters would be in the state dict twice.
        self._decoder = (decoder,)

    def forward(
        self,
        x: Float[Tensor, "b t d"],
        *,
        lengths: Int[Tensor, " b"],
        positions: Int[Tensor, "b t"],
        causal: bool = True,
        cache: Cache | None = None,
    ) -> tuple[Float[Tensor, "b t d"], Float[Tensor, ""]]:
        require_causal(causal)
        [decoder] = self._decoder
        decoder.train(self.training)
        decoder.retnet_rel_pos.to(x.device)
        tokens = torch.zeros(x.shape[:2], dtype=torch.long, device=x.device)
        hidden, _ = decoder(tokens, token_embeddings=x, features_only=True)
        return hidden, x.new_zeros(())

    def new_cache(self, batch: int, max_length: int) -> RetNetCache:
        raise UnavailableError(
            "retnet: torchscale's RetNet has no cache for rows of different lengths",
            hint="use retnet-hf for synthesis, which reads the same weights",
        )


def _decoder(config: RetNetConfig) -> nn.Module:
    try:
        from torchscale.architecture.config import RetNetConfig as Options
        from torchscale.architecture.retnet import RetNetDecoder
    except Exception as exc:
        raise UnavailableError(
            f"the backbone retnet needs torchscale, which cannot be imported here: {exc}",
            hint="use retnet-hf, which has the same weights, or see the plugin's README",
        ) from exc
    options = Options(
        decoder_embed_dim=config.d_model,
        decoder_value_embed_dim=config.d_model * config.value_factor,
        decoder_retention_heads=config.heads,
        decoder_ffn_embed_dim=config.inner_width,
        decoder_layers=config.layers,
        activation_fn="gelu" if config.activation == "gelu" else "swish",
        dropout=config.dropout,
        layernorm_eps=config.norm_eps,
        checkpoint_activations=config.checkpointing,
        chunkwise_recurrent=config.chunk > 0,
        recurrent_chunk_size=config.chunk or 512,
        no_output_layer=True,
        no_scale_embedding=True,
        vocab_size=1,
    )
    decoder: nn.Module = RetNetDecoder(options)
    return decoder
