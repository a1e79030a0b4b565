import csv

import numpy as np
import pytest
import soundfile
import torch
from attrs import asdict
from safetensors.torch import save_file

from vall_e_codecs.embedded.analysis import AnalysisSettings
from vall_e_codecs.embedded.quantizer import ResidualQuantizer
from vall_e_codecs.embedded.vocoder import Vocoder, VocoderSettings
from vall_e_codecs.embedded.weights import CodecWeights
from vall_e_codecs.encodec_names import reference_names
from vall_e_codecs.encodec_network import unloaded

TINY_VOCODER = VocoderSettings(width=16, layers=2, expansion=1)


@pytest.fixture(scope="session")
def random_encodec():
    """Makes random weights of an EnCodec of these sizes, whose codes follow the sound."""
    pytest.importorskip("transformers")

    def make(sizes):
        torch.manual_seed(0)
        network = unloaded(sizes, 4, "transformers")
        with torch.no_grad():
            sound = torch.randn(1, sizes.channels, 16_000).cumsum(2).sin()
            vectors = network.encoder(sound)[0].T  # (f, d)
        mean, spread = vectors.mean(0), vectors.std(0)
        for i, layer in enumerate(network.module.quantizer.layers):
            entries = spread * torch.randn(layer.codebook.embed.shape)
            layer.codebook.embed.copy_(entries if i else mean + entries)
        return {name: tensor.clone() for name, tensor in network.module.state_dict().items()}

    return make


@pytest.fixture(scope="module")
def hub_file(state, tmp_path_factory):
    """The random weights of the module, as the hub has them."""
    path = tmp_path_factory.mktemp("hub") / "model.safetensors"
    save_file(state, path)
    return path


@pytest.fixture(scope="module")
def package_file(state, tmp_path_factory):
    """The same as Meta's server has them."""
    path = tmp_path_factory.mktemp("package") / "encodec.th"
    torch.save(reference_names(state), path)
    return path


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
