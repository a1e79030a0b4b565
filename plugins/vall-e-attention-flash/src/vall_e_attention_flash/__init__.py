"""flash-attn for VALL-E."""
