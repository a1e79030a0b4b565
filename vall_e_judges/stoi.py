"""Intelligibility of a decoded clip relative to its original, by the package `pystoi`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from vall_e.plugin import Figure, Score, Verdict
from vall_e_judges.judge_audio import SAMPLE_RATE, compared
from vall_e_judges.optional_packages import require

if TYPE_CHECKING:
    from vall_e.plugin import Evidence


class Stoi:
    """STOI (Taal et al. 2011) and the extended one (Jensen and Taal 2016), from 0 to 1."""

    packages = ("pystoi",)
    remarks = ()
    weights: ClassVar[Mapping[str, str]] = {}
    figures: ClassVar[Mapping[str, Figure]] = {
        "stoi": Figure("intelligibility relative to the original, 0 to 1", better="higher"),
        "estoi": Figure("the same, stricter with fluctuating noise", better="higher"),
    }

    def __init__(self) -> None:
        require("stoi", "pystoi")

    def __call__(self, evidence: Evidence) -> Verdict:
        extended = {"stoi": False, "estoi": True}
        return Verdict({name: _score(evidence, extended=extended[name]) for name in self.figures})


def _score(evidence: Evidence, *, extended: bool) -> Score:
    from pystoi import stoi

    both = compared(evidence)
    if both is None:
        return Score(None, reason="there is no original to compare with")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # it warns if the figure is meaningless
        try:
            return Score(float(stoi(*both, SAMPLE_RATE, extended=extended)))
        except RuntimeWarning:
            return Score(None, reason="STOI needs 0.4 s of speech")
