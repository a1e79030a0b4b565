"""The contract on a GPU: the only place where the kernel itself runs."""

from types import MappingProxyType

import pytest
import torch

from vall_e.testing import AttentionContract
from vall_e_attention_flash.flash import FlashAttn, package

if not torch.cuda.is_available():
    pytest.skip("PyTorch finds no GPU", allow_module_level=True)


class TestOnAGpu(AttentionContract):
    device = torch.device("cuda")
    tolerance = MappingProxyType({torch.float16: 5e-3, torch.bfloat16: 2e-2})

    def make(self):
        return FlashAttn(package())
