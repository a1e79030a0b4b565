"""The contract on a GPU: the only place where the kernel itself runs."""

import pytest
import torch

from vall_e.testing import AttentionContract
from vall_e_attention_xformers.xformers import Xformers, package

if not torch.cuda.is_available():
    pytest.skip("PyTorch finds no GPU", allow_module_level=True)


class TestOnAGpu(AttentionContract):
    device = torch.device("cuda")

    def make(self):
        return Xformers(package())
