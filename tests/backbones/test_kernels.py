import pytest
import torch

from vall_e.errors import UnavailableError
from vall_e.testing.attention import AttentionContract
from vall_e_backbones.kernels import Auto, Eager, Sdpa


class TestEager(AttentionContract):
    def make(self):
        return Eager()


class TestAuto(AttentionContract):
    def make(self):
        return Auto()


class TestSdpa(AttentionContract):
    def make(self):
        return Sdpa("sdpa")


class TestMath(AttentionContract):
    def make(self):
        return Sdpa("math")


class TestFlash(AttentionContract):
    def make(self):
        return Sdpa("flash")


class TestMemEfficient(AttentionContract):
    def make(self):
        return Sdpa("mem-efficient")


class TestCudnn(AttentionContract):
    def make(self):
        return Sdpa("cudnn")


def test_auto_says_what_it_took():
    kernel = Auto()
    x = torch.randn(1, 2, 3, 8)
    kernel(x, x, x, causal=True)
    assert kernel.chosen == "sdpa"


def test_a_kernel_asked_for_by_name_is_never_replaced_in_silence():
    x = torch.randn(1, 2, 3, 8)
    with pytest.raises(UnavailableError) as caught:
        Sdpa("cudnn")(x, x, x)
    assert "needs a CUDA device, this is cpu" in caught.value.message
    assert caught.value.hint == "set model.attention: auto"
