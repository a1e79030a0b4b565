"""The contract on a GPU, for the kernels that need one."""

from types import MappingProxyType

import pytest
import torch

from vall_e.testing import AttentionContract
from vall_e_backbones.flash_attention_2 import FlashAttention2, integration
from vall_e_backbones.flex import Flex
from vall_e_backbones.kernels import Auto, Sdpa
from vall_e_backbones.options import FlexConfig

if not torch.cuda.is_available():
    pytest.skip("PyTorch finds no GPU", allow_module_level=True)

HALF = MappingProxyType({torch.float16: 5e-3, torch.bfloat16: 2e-2})


class OnAGpu(AttentionContract):
    device = torch.device("cuda")


class TestAuto(OnAGpu):
    def make(self):
        return Auto()


class TestMemEfficient(OnAGpu):
    def make(self):
        return Sdpa("mem-efficient")


class TestFlash(OnAGpu):
    tolerance = HALF

    def make(self):
        return Sdpa("flash")


class TestCudnn(OnAGpu):
    tolerance = HALF

    def make(self):
        return Sdpa("cudnn")


class TestFlexOnAGpu(OnAGpu):
    def make(self):
        return Flex(FlexConfig())


class TestFlashAttention2(OnAGpu):
    tolerance = HALF

    def make(self):
        return FlashAttention2(integration())
