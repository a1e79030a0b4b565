import pytest
import torch
from attrs import evolve

from vall_e.errors import UnavailableError
from vall_e.interfaces.attention import AttentionCase
from vall_e.testing.contracts.attention import AttentionContract
from vall_e.testing.contracts.run import laws_of, try_law
from vall_e_backbones import kernels
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


@pytest.mark.parametrize("name", ["mem-efficient", "cudnn"])
def test_a_kernel_for_a_gpu_refuses_every_case_on_the_cpu(name):
    """All laws at once: on a GPU each has a test of its own, in test_kernels_on_a_gpu."""
    contract = type("OnTheCpu", (AttentionContract,), {"make": lambda self: Sdpa(name)})
    findings = {law: try_law(contract, law) for law in laws_of(contract)}
    assert findings.pop("test_has_a_name").status == "holds"
    for finding in findings.values():
        assert finding.status == "skipped"
        assert finding.reason == f"{name}: {name} attention needs a CUDA device, this is cpu"


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


def _case(**changes):
    plain = AttentionCase(torch.device("cpu"), torch.float32, head_dim=8, heads=2, kv_heads=2)
    return evolve(plain, **changes)


def test_flash_attention_on_the_cpu_says_that_it_has_no_dropout():
    x = torch.randn(1, 2, 3, 8)
    assert Sdpa("flash").unsupported(_case()) is None
    assert Sdpa("flash").unsupported(_case(dropout=0.1)) is not None
    with pytest.raises(UnavailableError, match="does not support dropout"):
        Sdpa("flash")(x, x, x, dropout=0.1)


@pytest.fixture
def cuda(monkeypatch):
    """A machine with CUDA, as far as the question goes; gives the probes that were made."""
    probes = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(kernels, "_probe", lambda case: probes.append(case))
    kernels._reason.cache_clear()
    yield probes
    kernels._reason.cache_clear()


def test_each_case_is_probed_once(cuda, monkeypatch):
    monkeypatch.setitem(kernels._CUDA_CHECKS, "cudnn", lambda probe, debug: False)
    plain = _case(device=torch.device("cuda"))
    dropping = evolve(plain, dropout=0.1)
    for case in (plain, dropping, plain, dropping):
        assert "does not support" in Sdpa("cudnn").unsupported(case)
    assert cuda == [plain, dropping]


def test_auto_takes_the_first_that_can(cuda, monkeypatch):
    can = {"cudnn": False, "flash": True, "mem-efficient": True}
    for name, answer in can.items():
        monkeypatch.setitem(kernels._CUDA_CHECKS, name, lambda probe, debug, answer=answer: answer)
    assert Auto()._choose(_case(device=torch.device("cuda"))).name == "flash"


def test_the_probe_is_what_is_asked_for():
    asked = _case(
        dtype=torch.bfloat16, heads=6, kv_heads=2, masked=True, dropout=0.25, training=True
    )
    probe = kernels._probe(asked)
    assert probe.query.shape[1::2] == (6, 8)
    assert probe.key.shape == probe.value.shape
    assert probe.key.shape[1::2] == (2, 8)
    assert probe.query.dtype == torch.bfloat16
    assert probe.query.requires_grad
    assert probe.attn_mask is not None
    assert probe.dropout == 0.25
    assert probe.enable_gqa
    assert not probe.is_causal
    assert kernels._probe(_case(causal=True)).is_causal
    assert kernels._probe(_case()).attn_mask is None


def test_the_plain_kernel_takes_a_scale_of_zero():
    q, k, v = torch.randn(3, 1, 2, 4, 8)
    torch.testing.assert_close(Eager()(q, k, v, scale=0.0), v.mean(2, keepdim=True).expand_as(v))
