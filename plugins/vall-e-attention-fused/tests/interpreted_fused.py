"""The contract, on CPU tensors: run with TRITON_INTERPRET=1, as `test_fused.py` does."""

from vall_e.testing import AttentionContract
from vall_e_attention_fused.fused import Fused


class TestFused(AttentionContract):
    def make(self):
        return Fused()
