"""Mean opinion score predicted by a network (Reddy et al. 2020), by `speechmos`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vall_e.plugin import Figure, Score, Verdict, sha256_of
from vall_e_judges.judge_audio import SAMPLE_RATE, compared, samples_of
from vall_e_judges.optional_packages import require

if TYPE_CHECKING:
    from vall_e.plugin import Evidence


class Dnsmos:
    """The mean opinion scores of DNSMOS P.835: overall, speech alone, background."""

    packages = ("speechmos", "onnxruntime", "librosa")
    remarks = ()
    figures: ClassVar[Mapping[str, Figure]] = {
        "dnsmos": Figure("overall quality, 1 to 5", better="higher"),
        "dnsmos_speech": Figure("quality of the speech alone, 1 to 5", better="higher"),
        "dnsmos_background": Figure("quality of the background, 1 to 5", better="higher"),
    }

    def __init__(self) -> None:
        require("dnsmos", "speechmos", "onnxruntime", "librosa", "speechmos.dnsmos")
        spec = find_spec("speechmos")
        folder = Path(str(spec and spec.origin)).parent / "dnsmos_models"
        used = ("sig_bak_ovr.onnx", "model_v8.onnx")
        self.weights = {f"speechmos {name}": sha256_of(folder / name) for name in used}

    def __call__(self, evidence: Evidence) -> Verdict:
        from speechmos import dnsmos

        both = compared(evidence)
        samples = samples_of(evidence) if both is None else both[1]
        if not np.any(samples):
            reason = "it is empty or digital silence"
            return Verdict({name: Score(None, reason=reason) for name in self.figures})
        loudest = max(1.0, float(np.abs(samples).max()))
        found = dnsmos.run(np.clip(samples / loudest, -1, 1), SAMPLE_RATE)
        keys = dict(zip(self.figures, ("ovrl_mos", "sig_mos", "bak_mos"), strict=True))
        return Verdict({name: Score(float(found[key])) for name, key in keys.items()})
