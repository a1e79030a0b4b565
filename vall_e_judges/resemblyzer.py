"""Resemblyzer's speaker vectors as an embedder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vall_e.plugin import UnavailableError
from vall_e_judges.judge_audio import SAMPLE_RATE
from vall_e_judges.optional_packages import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vall_e.plugin import Sound
    from vall_e_judges.options import ResemblyzerConfig


class Resemblyzer:
    def __init__(self, config: ResemblyzerConfig) -> None:
        require("resemblyzer", "_webrtcvad", what="embedder")
        from vall_e_judges.speaker_vectors import SpeakerEncoder, packaged_weights

        path = config.weights or packaged_weights()
        if not path.is_file():
            raise UnavailableError(f"{path} does not exist", hint="check resemblyzer's `weights`")
        self._encoder = SpeakerEncoder.load(path)

    def __call__(self, clip: Sound) -> NDArray[np.float32] | None:
        return self._encoder.vector(clip.mono().resample(SAMPLE_RATE).samples)
