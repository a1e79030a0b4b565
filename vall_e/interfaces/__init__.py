"""What the core asks of a component. Torch-free: shapes are for the reader and the type checker.

Sizes, as in docs/glossary.md: `b` batch, `t` positions, `f` frames of codes, `k` RVQ levels,
`v` entries of one codebook (plus the stop token for the AR stage), `p` phonemes, `d` model
width, `h` heads, `s` samples. Batch first; padding on the right; masks are True where attention is
allowed; audio is float in [-1, 1].
"""
