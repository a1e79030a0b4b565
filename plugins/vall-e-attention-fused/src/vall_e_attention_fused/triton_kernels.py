"""Programs that Triton compiles: each computes one tile of outputs, or of gradients.

FlashAttention-2 (Dao 2023, https://arxiv.org/abs/2307.08691): scores are never stored. A tile of
scores is computed, used and discarded; the backward pass recomputes it from the log of each
query's sum of exponentials. `live` says for each tile of the mask whether it hides all (0), some
(1) or nothing (2): the first is skipped, the last does not need the mask.

`widen` computes products of bf16 in fp32: Triton's interpreter treats them as integers.

Names: `*_at` is a pointer; `q_b`, `q_h`, `q_t` are strides over rows, heads and positions;
channels are adjacent.
"""
# Triton has its own meaning of annotations, cannot combine compile-time and run-time
# conditions by `and`, and has no stubs.
# ruff: noqa: ANN001, ANN201, SIM102
# mypy: ignore-errors

import triton
import triton.language as tl

HIDDEN = tl.constexpr(-1.0e30)
"""Score of a masked key; not -inf, which gives NaN for a query without any key."""


@triton.jit
def load_tile(start, places, channels, stride, length, width, widen: tl.constexpr):
    """(places, channels) of numbers, zeros outside; in fp32 if `widen`."""
    inside = (places[:, None] < length) & (channels[None, :] < width)
    tile = tl.load(start + places[:, None] * stride + channels[None, :], mask=inside, other=0.0)
    return tile.to(tl.float32) if widen else tile


@triton.jit
def store_tile(start, tile, places, channels, stride, length, width):
    inside = (places[:, None] < length) & (channels[None, :] < width)
    where = start + places[:, None] * stride + channels[None, :]
    tl.store(where, tile.to(start.dtype.element_ty), mask=inside)


@triton.jit
def visible(
    mask_at, m_t, m_u, queries, keys, t, u, live, causal: tl.constexpr, masked: tl.constexpr
):
    """(queries, keys), True where attention is allowed."""
    seen = (queries[:, None] < t) & (keys[None, :] < u)
    if causal:
        seen = seen & (queries[:, None] >= keys[None, :])
    if masked:
        if live == 1:
            where = mask_at + queries[:, None] * m_t + keys[None, :] * m_u
            seen = seen & (tl.load(where, mask=seen, other=0) != 0)
    return seen


@triton.jit
def gradients_of_scores(q, k, v, grad, lse, delta, seen, scale):
    """A tile's weights (queries, keys), recomputed as in `attend`, and its gradient."""
    scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
    weights = tl.where(seen, tl.exp(scores - lse[:, None]), 0.0)
    change = tl.dot(grad, tl.trans(v), input_precision="ieee") - delta[:, None]
    return weights, weights * change * scale


@triton.jit
def attend(
    q_at,
    k_at,
    v_at,
    mask_at,
    live_at,
    out_at,
    lse_at,
    q_b,
    q_h,
    q_t,
    k_b,
    k_h,
    k_u,
    v_b,
    v_h,
    v_u,
    m_b,
    m_t,
    m_u,
    l_b,
    l_t,
    l_u,
    o_b,
    o_h,
    o_t,
    heads,
    t,
    u,
    c,
    scale,
    groups: tl.constexpr,
    causal: tl.constexpr,
    masked: tl.constexpr,
    tile_t: tl.constexpr,
    tile_u: tl.constexpr,
    tile_c: tl.constexpr,
    widen: tl.constexpr,
):
    """One tile of queries over all keys: outputs, and the log of the sum of exponentials."""
    tile = tl.program_id(0)
    row = (tl.program_id(1) // heads).to(tl.int64)
    head = (tl.program_id(1) % heads).to(tl.int64)
    queries = tile * tile_t + tl.arange(0, tile_t)
    channels = tl.arange(0, tile_c)
    q = load_tile(q_at + row * q_b + head * q_h, queries, channels, q_t, t, c, widen)
    best = tl.full([tile_t], HIDDEN, tl.float32)
    total = tl.zeros([tile_t], tl.float32)
    out = tl.zeros([tile_t, tile_c], tl.float32)
    end = u
    if causal:
        end = tl.minimum(u, (tile + 1) * tile_t)
    for first in range(0, end, tile_u):
        live = tl.full([], 2, tl.int32)
        if masked:
            live = tl.load(live_at + row * l_b + tile * l_t + (first // tile_u) * l_u)
        if live > 0:
            keys = first + tl.arange(0, tile_u)
            k = load_tile(k_at + row * k_b + head // groups * k_h, keys, channels, k_u, u, c, widen)
            v = load_tile(v_at + row * v_b + head // groups * v_h, keys, channels, v_u, u, c, widen)
            seen = visible(mask_at + row * m_b, m_t, m_u, queries, keys, t, u, live, causal, masked)
            scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
            scores = tl.where(seen, scores, HIDDEN)
            higher = tl.maximum(best, tl.max(scores, 1))
            weights = tl.where(seen, tl.exp(scores - higher[:, None]), 0.0)
            shrink = tl.exp(best - higher)
            total = total * shrink + tl.sum(weights, 1)
            out = out * shrink[:, None]
            out += tl.dot(weights.to(v.dtype), v, input_precision="ieee")
            best = higher
    sums = tl.where(total > 0.0, total, 1.0)
    store_tile(out_at + row * o_b + head * o_h, out / sums[:, None], queries, channels, o_t, t, c)
    place = lse_at + (row * heads + head) * t + queries
    tl.store(place, tl.where(total > 0.0, best + tl.log(sums), 0.0), mask=queries < t)


@triton.jit
def gradients_of_keys(
    q_at,
    k_at,
    v_at,
    mask_at,
    live_at,
    grad_at,
    lse_at,
    delta_at,
    dk_at,
    dv_at,
    q_b,
    q_h,
    q_t,
    k_b,
    k_h,
    k_u,
    v_b,
    v_h,
    v_u,
    m_b,
    m_t,
    m_u,
    l_b,
    l_t,
    l_u,
    g_b,
    g_h,
    g_t,
    d_b,
    d_h,
    d_u,
    heads,
    t,
    u,
    c,
    scale,
    groups: tl.constexpr,
    causal: tl.constexpr,
    masked: tl.constexpr,
    tile_t: tl.constexpr,
    tile_u: tl.constexpr,
    tile_c: tl.constexpr,
    widen: tl.constexpr,
):
    """One tile of keys, over all queries of all heads that share it."""
    tile = tl.program_id(0)
    shared = heads // groups
    row = (tl.program_id(1) // shared).to(tl.int64)
    owner = (tl.program_id(1) % shared).to(tl.int64)
    keys = tile * tile_u + tl.arange(0, tile_u)
    channels = tl.arange(0, tile_c)
    k = load_tile(k_at + row * k_b + owner * k_h, keys, channels, k_u, u, c, widen)
    v = load_tile(v_at + row * v_b + owner * v_h, keys, channels, v_u, u, c, widen)
    dk = tl.zeros([tile_u, tile_c], tl.float32)
    dv = tl.zeros([tile_u, tile_c], tl.float32)
    begin = 0
    if causal:
        begin = (tile * tile_u) // tile_t * tile_t
    for member in range(groups):
        head = owner * groups + member
        for first in range(begin, t, tile_t):
            live = tl.full([], 2, tl.int32)
            if masked:
                live = tl.load(live_at + row * l_b + (first // tile_t) * l_t + tile * l_u)
            if live > 0:
                queries = first + tl.arange(0, tile_t)
                inside = queries < t
                q = load_tile(q_at + row * q_b + head * q_h, queries, channels, q_t, t, c, widen)
                grad = load_tile(
                    grad_at + row * g_b + head * g_h, queries, channels, g_t, t, c, widen
                )
                places = (row * heads + head) * t + queries
                lse = tl.load(lse_at + places, mask=inside, other=0.0)
                delta = tl.load(delta_at + places, mask=inside, other=0.0)
                seen = visible(
                    mask_at + row * m_b, m_t, m_u, queries, keys, t, u, live, causal, masked
                )
                weights, dscores = gradients_of_scores(q, k, v, grad, lse, delta, seen, scale)
                dv += tl.dot(tl.trans(weights.to(grad.dtype)), grad, input_precision="ieee")
                dk += tl.dot(tl.trans(dscores.to(q.dtype)), q, input_precision="ieee")
    store_tile(dk_at + row * d_b + owner * d_h, dk, keys, channels, d_u, u, c)
    store_tile(dv_at + row * d_b + owner * d_h, dv, keys, channels, d_u, u, c)


@triton.jit
def gradients_of_queries(
    q_at,
    k_at,
    v_at,
    mask_at,
    live_at,
    grad_at,
    lse_at,
    delta_at,
    dq_at,
    q_b,
    q_h,
    q_t,
    k_b,
    k_h,
    k_u,
    v_b,
    v_h,
    v_u,
    m_b,
    m_t,
    m_u,
    l_b,
    l_t,
    l_u,
    g_b,
    g_h,
    g_t,
    d_b,
    d_h,
    d_t,
    heads,
    t,
    u,
    c,
    scale,
    groups: tl.constexpr,
    causal: tl.constexpr,
    masked: tl.constexpr,
    tile_t: tl.constexpr,
    tile_u: tl.constexpr,
    tile_c: tl.constexpr,
    widen: tl.constexpr,
):
    """One tile of queries, over all keys."""
    tile = tl.program_id(0)
    row = (tl.program_id(1) // heads).to(tl.int64)
    head = (tl.program_id(1) % heads).to(tl.int64)
    queries = tile * tile_t + tl.arange(0, tile_t)
    channels = tl.arange(0, tile_c)
    inside = queries < t
    q = load_tile(q_at + row * q_b + head * q_h, queries, channels, q_t, t, c, widen)
    grad = load_tile(grad_at + row * g_b + head * g_h, queries, channels, g_t, t, c, widen)
    places = (row * heads + head) * t + queries
    lse = tl.load(lse_at + places, mask=inside, other=0.0)
    delta = tl.load(delta_at + places, mask=inside, other=0.0)
    dq = tl.zeros([tile_t, tile_c], tl.float32)
    end = u
    if causal:
        end = tl.minimum(u, (tile + 1) * tile_t)
    for first in range(0, end, tile_u):
        live = tl.full([], 2, tl.int32)
        if masked:
            live = tl.load(live_at + row * l_b + tile * l_t + (first // tile_u) * l_u)
        if live > 0:
            keys = first + tl.arange(0, tile_u)
            k = load_tile(k_at + row * k_b + head // groups * k_h, keys, channels, k_u, u, c, widen)
            v = load_tile(v_at + row * v_b + head // groups * v_h, keys, channels, v_u, u, c, widen)
            seen = visible(mask_at + row * m_b, m_t, m_u, queries, keys, t, u, live, causal, masked)
            _, dscores = gradients_of_scores(q, k, v, grad, lse, delta, seen, scale)
            dq += tl.dot(dscores.to(k.dtype), k, input_precision="ieee")
    store_tile(dq_at + row * d_b + head * d_h, dq, queries, channels, d_t, t, c)
