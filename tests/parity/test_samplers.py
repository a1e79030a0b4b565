"""Samplers give the numbers of the project that this one learnt from, under plain or legacy names.

Its numbers are not part of this repository: see `tests/parity/test_passes.py`.
"""

import os
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from vall_e.decoding.ar.beam_search import furthest
from vall_e_samplers import components as c
from vall_e_samplers import legacy_components as old
from vall_e_samplers.entropix import entropies
from vall_e_samplers.legacy import divided

FOLDER = Path(
    os.environ.get("VALL_E_PARITY", Path(__file__).parents[2].parent / "shared" / "parity")
)
TOLERANCE = 1e-5

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no fixtures in {FOLDER}; VALL_E_PARITY may name their folder"
)


@pytest.fixture(scope="module")
def later():
    return _arrays("nov19")


@pytest.fixture(scope="module")
def earlier():
    return _arrays("nov04")


def _arrays(name):
    return {
        key: torch.from_numpy(array)
        for key, array in np.load(FOLDER / "samplers" / f"{name}.npz").items()
    }


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=TOLERANCE)


def after(arrays, rows, *samplers, history="in.prev"):
    logits = arrays[rows]
    past = arrays[history].long().expand(len(logits), -1)
    for sampler in samplers:
        logits = sampler(past, logits)
    return logits


@pytest.mark.parametrize(("factor", "decay"), [(1.5, 0.0), (1.25, 0.5), (0.8, 0.0)])
def test_repetitions_are_penalised_as_at_first(earlier, factor, decay):
    penalty = old.build_legacy_repetition_penalty(
        old.LegacyRepetitionPenaltyConfig(factor, decay, 75)
    )
    close(after(earlier, "in.one", penalty), earlier[f"reppen_nov04.f{factor}.d{decay}"])


@pytest.mark.parametrize(("factor", "decay"), [(1.5, 0.0), (1.25, 0.5)])
def test_repetitions_are_penalised_as_later(later, factor, decay):
    penalty = old.build_legacy_repetition_penalty(
        old.LegacyRepetitionPenaltyConfig(factor, decay, 0)
    )
    close(after(later, "in.one", penalty), later[f"reppen_nov19.ar.f{factor}.d{decay}"])
    past = later["in.prev_nar"].long()
    rows = past.expand(len(later["in.many"]), -1)
    before = torch.ones_like(rows, dtype=torch.bool).tril(-1)  # a frame sees those before it
    ours = divided(later["in.many"], rows, before, factor=factor, decay=decay)
    close(ours, later[f"reppen_nov19.nar.f{factor}.d{decay}"])


@pytest.mark.parametrize("factor", [0.5, -0.5])
def test_the_end_is_put_off_the_same(later, factor):
    penalty = old.build_legacy_length_penalty(old.LegacyLengthPenaltyConfig(factor, stop=63))
    close(after(later, "in.one", penalty), later[f"lenpen.f{factor}.len13.tok63"])


def test_what_is_kept_is_the_same(later):
    def top_k(k):
        return c.build_top_k(c.TopKConfig(k))

    def top_p(p):
        return c.build_top_p(c.TopPConfig(p))

    for k in (5, 20):
        close(after(later, "in.many", top_k(k)), later[f"topk.{k}"])
    for p in (0.5, 0.9):
        close(after(later, "in.many", top_p(p)), later[f"topp.{p}"])
    close(after(later, "in.many", top_k(10), top_p(0.8)), later["topk10.topp0.8"])
    for p in (0.05, 0.3):
        for keep in (32, 1):
            min_p = c.build_min_p(c.MinPConfig(p, keep))
            close(after(later, "in.many", min_p), later[f"minp.{p}.keep{keep}"])
    for n in (1.0, 2.0):
        sigma = c.build_top_n_sigma(c.TopNSigmaConfig(n))
        close(after(later, "in.many", sigma), later[f"topno.{n}"])


@pytest.mark.parametrize(("most", "least"), [(1.0, 0.1), (1.25, 0.5)])
def test_temperatures_are_the_same(later, most, least):
    warm = c.build_dynamic_temperature(c.DynamicTemperatureConfig(least, most))
    close(after(later, "in.many", warm), later[f"dyntemp.t{most}.min{least}"])


@pytest.mark.parametrize(("multiplier", "base", "allowed"), [(0.8, 1.75, 2), (1.0, 2.0, 1)])
def test_phrases_are_penalised_the_same(later, multiplier, base, allowed):
    pytest.importorskip("vall_e_sampler_dry")
    plugin = import_module("vall_e_sampler_dry.components")
    dry = plugin.build_legacy_dry(plugin.LegacyDryConfig(multiplier, base, allowed))
    close(after(later, "in.one", dry), later[f"dry.m{multiplier}.b{base}.l{allowed}"])


def test_entropies_are_the_same(later):
    """Its metrics of attention weights have no part here: kernels do not give them."""
    for rows in ("one", "many"):
        ours = torch.stack([part.mean() for part in entropies(later[f"in.{rows}"])])
        close(ours, later[f"entropy.{rows}"])
    ours = torch.stack([part.mean() for part in entropies(later["in.one"])])
    close(ours, later["entropix.metrics"][:2])


def test_mirostat_goes_the_same_way(later):
    sampler = old.build_legacy_mirostat(old.LegacyMirostatConfig(tau=3.0, eta=0.1, size=1024))
    logits, total = later["in.big"], 0.0
    for step, theirs in enumerate(later["mirostat.trace"].tolist()):
        token, surprise, error, limit, sum_so_far = theirs
        history = torch.zeros(1, step, dtype=torch.long)
        before = sampler.start if step == 0 else float(sampler.limit)
        # Chance is another here; its own draw was that of the likeliest.
        seed = next(s for s in range(100) if _draws(logits, s) == token)
        assert sampler.draw(history, logits, [torch.Generator().manual_seed(seed)]) == token
        ours = (before - float(sampler.limit)) / 0.1
        total += ours + 3.0
        assert [ours + 3.0, ours, float(sampler.limit), total] == pytest.approx(
            [surprise, error, limit, sum_so_far], abs=1e-4
        )


def _draws(logits, seed):
    fresh = old.build_legacy_mirostat(old.LegacyMirostatConfig(tau=3.0, eta=0.1, size=1024))
    history = torch.zeros(1, 0, dtype=torch.long)
    return fresh.draw(history, logits, [torch.Generator().manual_seed(seed)])


def test_a_search_continues_from_the_same_beams(later):
    """Over there totals are sums of logits; these are of three rows."""
    _, [rows], [tokens] = furthest(later["in.many"][:3], requests=1, count=4)
    ours = [list(pair) for pair in zip(rows, tokens, strict=True)]
    assert ours == later["beam.top4_batch_token"].tolist()
