"""Speaker similarity: the cosine of speaker vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from vall_e.plugin import Figure, Score, UnavailableError, Verdict, sha256_of
from vall_e_judges.judge_audio import SAMPLE_RATE
from vall_e_judges.optional_packages import require

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from vall_e.plugin import Case, Evidence, Sound
    from vall_e_judges.judge_audio import Samples
    from vall_e_judges.options import SimilarityConfig

SILENT = "it contains no speech"


Encode = Callable[["Samples"], "NDArray[np.float32] | None"]
"""Samples at 16 kHz to a vector of length 1; None where no speech is heard."""


class VoiceComparison:
    """Compares a clip with a reference recording of the speaker, or else with its original.

    A clip without speech has similarity 0 to everybody, so that silence never scores well.
    """

    def __init__(
        self, encode: Encode, case: Case, *, name: str, first: str = "{}_own_speaker_first"
    ) -> None:
        self._encode = encode
        self._kept: dict[bytes, NDArray[np.float32] | None] = {}
        self._name, self._first_name = name, first.format(name)
        self.figures = {name: Figure("cosine with the reference speaker", "higher")}
        self._voices = case.references if len(case.references) > 1 else {}
        if self._voices:
            self.figures[self._first_name] = Figure(
                f"how often a recording of the right one of {len(self._voices)} voices is nearest",
                "higher",
            )

    def __call__(self, evidence: Evidence) -> Verdict:
        meant = evidence.reference or evidence.original
        if meant is None:
            reason = "there is no reference recording of the speaker"
            return Verdict({name: Score(None, reason=reason) for name in self.figures})
        wanted, vector = self._vector(meant), self._vector(evidence.clip)
        if wanted is None:
            reason = f"{meant.name}: {SILENT}"
            return Verdict({name: Score(None, reason=reason) for name in self.figures})
        if vector is None:
            return Verdict({name: Score(0.0, reason=SILENT) for name in self.figures})
        scores = {self._name: Score(float(vector @ wanted))}
        if self._voices:
            scores[self._first_name] = self._first(evidence.speaker, vector)
        return Verdict(scores)

    def _first(self, speaker: str, vector: NDArray[np.float32]) -> Score:
        near = {
            name: max(float(vector @ one) for one in known)
            for name, clips in self._voices.items()
            if (known := [one for clip in clips if (one := self._vector(clip)) is not None])
        }
        if speaker not in near:
            return Score(None, reason="its speaker has no recording to compare with")
        return Score(float(max(near, key=near.__getitem__) == speaker))

    def _vector(self, clip: Sound) -> NDArray[np.float32] | None:
        samples = clip.mono().resample(SAMPLE_RATE).samples
        key = hashlib.sha256(samples.tobytes()).digest()
        if key not in self._kept:
            self._kept[key] = self._encode(samples)
        return self._kept[key]


class Similarity(VoiceComparison):
    packages = ("Resemblyzer", "webrtcvad", "webrtcvad-wheels")
    remarks = ()

    def __init__(self, config: SimilarityConfig, case: Case) -> None:
        require("similarity", "_webrtcvad")
        from vall_e_judges.speaker_vectors import SpeakerEncoder, packaged_weights

        path = config.weights or packaged_weights()
        if not path.is_file():
            raise UnavailableError(f"{path} does not exist", hint="check similarity's `weights`")
        self.weights: Mapping[str, str] = {f"Resemblyzer {path.name}": sha256_of(path)}
        encoder = SpeakerEncoder.load(path)
        super().__init__(encoder.vector, case, name="similarity", first="own_speaker_first")
