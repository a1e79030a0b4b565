"""Contracts that every component must pass, and small fakes to test with."""

from vall_e.testing.backbone import BackboneContract
from vall_e.testing.codec import CodecContract
from vall_e.testing.phonemizer import PhonemizerContract
from vall_e.testing.sampler import SamplerContract
from vall_e.testing.staircase import StaircaseCodec

__all__ = [
    "BackboneContract",
    "CodecContract",
    "PhonemizerContract",
    "SamplerContract",
    "StaircaseCodec",
]
