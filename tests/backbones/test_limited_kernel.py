import pytest
import torch

from vall_e.errors import UnavailableError
from vall_e.interfaces.attention import AttentionKernel
from vall_e_backbones.limited_kernel import AttentionOptions, LimitedKernel
from vall_e_backbones.limits import Limits


class Recorder(LimitedKernel):
    """Keeps the options of its calls and returns the queries."""

    name = "recorder"

    def __init__(self):
        self.limits = Limits(devices=("cpu",), gradients=False)
        self.seen: list[AttentionOptions] = []

    def attend(self, q, k, v, options):
        self.seen.append(options)
        return q


def test_a_supported_call_reaches_the_kernel_with_its_options():
    kernel = Recorder()
    x, mask = torch.randn(2, 2, 3, 8), torch.ones(2, 1, 3, 3, dtype=torch.bool)
    assert isinstance(kernel, AttentionKernel)
    assert kernel(x, x, x, mask=mask, scale=0.5) is x
    kernel(x, x, x, causal=True)
    first, second = kernel.seen
    assert first.mask is mask
    assert (first.causal, first.scale, first.dropout) == (False, 0.5, 0.0)
    assert (second.mask, second.causal, second.scale) == (None, True, None)


@pytest.mark.parametrize(
    ("gradients", "dropout", "reason"),
    [(False, 0.1, "does not support dropout"), (True, 0.0, "does not support gradients")],
)
def test_a_call_outside_the_limits_is_refused_before_anything_is_computed(
    gradients, dropout, reason
):
    kernel, x = Recorder(), torch.randn(1, 2, 3, 8, requires_grad=gradients)
    with pytest.raises(UnavailableError, match=f"'recorder' cannot run this: {reason}"):
        kernel(x, x, x, dropout=dropout)
    assert not kernel.seen
