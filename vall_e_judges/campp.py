"""Was it the right voice? A second opinion: speaker vectors of CAM++."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn

from vall_e.plugin import UnavailableError, damage_as, sha256_of
from vall_e_judges.campp_network import CamPlusPlus
from vall_e_judges.kaldi_bands import KaldiBands
from vall_e_judges.similarity import VoiceComparison

if TYPE_CHECKING:
    from vall_e.plugin import Case
    from vall_e_judges.judge_audio import Samples
    from vall_e_judges.options import CamppConfig

QUIET = 1e-4
"""A recording that never gets louder, in shares of full scale, holds no speech."""
LEAST_SAMPLES = 8_000
"""Half a second: in less, no speaker is heard."""
HINT = "docs/evaluation.md says where the weights are and how a file is made of them"


class CamppEncoder:
    """Vectors of length 1."""

    def __init__(self, network: CamPlusPlus) -> None:
        self._network = network.eval()
        self._bands = KaldiBands()

    @classmethod
    def load(cls, path: Path) -> CamppEncoder:
        """From the file that `convert` wrote."""
        if not path.is_file():
            raise UnavailableError(
                f"there is no file {path}", hint=f"check campp's `weights`; {HINT}"
            )
        network = CamPlusPlus()
        what = "does not hold the weights of CAM++"
        with damage_as(UnavailableError, path, what=what, hint=HINT):
            network.load_state_dict(load_file(path))
        return cls(network)

    @torch.inference_mode()
    def vector(self, samples: Samples) -> NDArray[np.float32] | None:
        """Of samples at 16 kHz; None where no speech can be."""
        if len(samples) < LEAST_SAMPLES or np.abs(samples).max() < QUIET:
            return None
        bands = self._bands(torch.from_numpy(np.ascontiguousarray(samples, np.float32)))
        found: NDArray[np.float32] = nn.functional.normalize(self._network(bands[None]))[0].numpy()
        return found


def convert(source: Path, target: Path) -> None:
    """Make a safetensors file of 3D-Speaker's `.pt`: tensors only, no code in a pickle is run."""
    tensors = torch.load(source, map_location="cpu", weights_only=True)
    CamPlusPlus().load_state_dict(tensors)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, target)


class Campp(VoiceComparison):
    packages = ()
    remarks = ()

    def __init__(self, config: CamppConfig, case: Case) -> None:
        if config.weights is None:
            raise UnavailableError("the judge campp needs a file of weights", hint=HINT)
        path = Path(config.weights)
        encoder = CamppEncoder.load(path)
        self.weights = {f"CAM++ {path.name}": sha256_of(path)}
        super().__init__(encoder.vector, case, name="campp")
