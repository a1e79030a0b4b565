"""The contract on a GPU: the only place where the kernel itself runs."""

from types import MappingProxyType

import pytest
import torch

from vall_e.testing import AttentionContract
from vall_e_attention_sage.sage import Sage, package

if not torch.cuda.is_available():
    pytest.skip("PyTorch finds no GPU", allow_module_level=True)


class TestOnAGpu(AttentionContract):
    """As far from the formula as 8 bits are."""

    device = torch.device("cuda")
    tolerance = MappingProxyType({torch.float16: 5e-2, torch.bfloat16: 6e-2})

    def make(self):
        return Sage(package())
