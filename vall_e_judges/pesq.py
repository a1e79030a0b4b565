"""Similarity of a decoded clip to its original: ITU-T P.862 by the package `pesq`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import soxr

from vall_e.plugin import Figure, Score, Verdict
from vall_e_judges.judge_audio import SAMPLE_RATE, compared
from vall_e_judges.optional_packages import require

if TYPE_CHECKING:
    from vall_e.plugin import Evidence
    from vall_e_judges.options import PesqConfig

RATES = {"wb": 16_000, "nb": 8_000}


class Pesq:
    """From 1.0, bad, to 4.64, identical to the original."""

    packages = ("pesq",)
    remarks = ()
    weights: ClassVar[Mapping[str, str]] = {}

    def __init__(self, config: PesqConfig) -> None:
        require("pesq", "pesq")
        self._band = config.band
        self.name = f"pesq_{config.band}"
        self.figures = {self.name: Figure("similarity to the original, 1 to 4.6", better="higher")}

    def __call__(self, evidence: Evidence) -> Verdict:
        return Verdict({self.name: self._score(evidence)})

    def _score(self, evidence: Evidence) -> Score:
        from pesq import PesqError, pesq

        both = compared(evidence)
        if both is None:
            return Score(None, reason="there is no original to compare with")
        if not all(np.any(samples) for samples in both):
            return Score(None, reason="it is empty or digital silence")
        rate = RATES[self._band]
        original, samples = (soxr.resample(x, SAMPLE_RATE, rate) for x in both)
        try:
            return Score(float(pesq(rate, original, samples, self._band)))
        except PesqError as exc:
            return Score(None, reason=f"PESQ finds no speech to compare ({exc})")
