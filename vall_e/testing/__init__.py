"""Contracts that every component must pass, and small fakes to test with."""

from vall_e.testing.sampler import SamplerContract

__all__ = ["SamplerContract"]
