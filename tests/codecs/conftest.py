import csv

import numpy as np
import pytest
import soundfile
import torch
from attrs import asdict

from vall_e_codecs.embedded.analysis import AnalysisSettings
from vall_e_codecs.embedded.quantizer import ResidualQuantizer
from vall_e_codecs.embedded.vocoder import Vocoder, VocoderSettings
from vall_e_codecs.embedded.weights import CodecWeights

TINY_VOCODER = VocoderSettings(width=16, layers=2, expansion=1)


@pytest.fixture
def codebooks():
    """Random codebooks of 3 levels of 32 entries, without a vocoder."""
    generator = torch.Generator().manual_seed(0)
    entries = torch.randn(3, 32, 160, generator=generator)
    entries = entries * torch.tensor([1.0, 0.5, 0.25])[:, None, None]
    quantizer = ResidualQuantizer(
        entries.half(), torch.full((160,), -60.0), torch.full((160,), 12.0)
    )
    return CodecWeights(AnalysisSettings(), quantizer, {}, {})


@pytest.fixture
def tiny_weights(codebooks):
    """The same with an untrained vocoder."""
    torch.manual_seed(0)
    vocoder = Vocoder(TINY_VOCODER)
    state = {name: value.half().float() for name, value in vocoder.state_dict().items()}
    return CodecWeights(codebooks.analysis, codebooks.quantizer, asdict(TINY_VOCODER), state)


@pytest.fixture
def recordings_list(tmp_path):
    """A list of six short recordings at 24 kHz."""
    folder = tmp_path / "voices"
    folder.mkdir()
    rng = np.random.default_rng(0)
    with (folder / "list.tsv").open("w", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(["id", "path"])
        for i in range(6):
            t = np.arange(24_000 + 1_000 * i) / 24_000
            sound = 0.3 * np.sin(2 * np.pi * 110 * (i + 1) * t) + 0.02 * rng.standard_normal(len(t))
            soundfile.write(folder / f"{i}.wav", sound, 24_000)
            rows.writerow([i, f"{i}.wav"])
    return folder / "list.tsv"
