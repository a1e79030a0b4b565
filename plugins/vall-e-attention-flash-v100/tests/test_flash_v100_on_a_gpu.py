"""The contract on a GPU: the only place where the kernel itself runs."""

from types import MappingProxyType

import pytest
import torch

from vall_e.testing import AttentionContract
from vall_e_attention_flash_v100.flash_v100 import FlashV100, package

if not torch.cuda.is_available():
    pytest.skip("PyTorch finds no GPU", allow_module_level=True)


class TestOnAGpu(AttentionContract):
    device = torch.device("cuda")
    tolerance = MappingProxyType({torch.float16: 5e-3})

    def make(self):
        return FlashV100(package())
