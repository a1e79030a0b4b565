import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from vall_e.interfaces.attention import AttentionCase
from vall_e_attention_fused.components import vall_e_register_attentions
from vall_e_attention_fused.fused import Fused, KernelPlan
from vall_e_attention_fused.options import FusedConfig
from vall_e_backbones.limits import Package

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="triton is not installed")
CASE = AttentionCase(torch.device("cuda"), torch.float32, head_dim=8, heads=2, kv_heads=2)


@needs_triton
@pytest.mark.slow
def test_the_programs_keep_the_contract_in_the_interpreter():
    """In a process of its own: Triton asks for the interpreter as it is imported.

    Two heads a key, fp32 and bf16: the interpreter is slow.
    """
    few = "not torch.float16 and not 1-torch and not 4-torch"
    suite = Path(__file__).with_name("interpreted_fused.py")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n0",
            "-p",
            "no:cacheprovider",
            str(suite),
            "-k",
            few,
        ],
        env={**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    # Dropout is the only thing that it refuses there.
    assert " 1 skipped" in done.stdout, done.stdout


def test_it_is_offered_under_its_name():
    [component] = vall_e_register_attentions()
    kernel = component.build(FusedConfig())
    assert component.name == kernel.name == "fused"


def test_without_triton_it_says_so():
    kernel = Fused(Package(absent="triton is not installed: pip install triton"))
    assert kernel.unsupported(CASE) == "triton is not installed: pip install triton"


@needs_triton
def test_without_the_interpreter_it_needs_a_gpu():
    """Whether or not another test imported Triton: nothing here asked for its interpreter."""
    x = torch.randn(1, 2, 3, 8)
    case = AttentionCase.of(x, x, mask=None, causal=True, dropout=0.0)
    assert Fused().unsupported(case) == "needs a CUDA device, this is cpu"


def test_the_table_of_tiles_says_what_to_skip_and_what_not_to_look_at():
    q, mask = torch.zeros(2, 1, 130, 16), torch.ones(2, 1, 130, 130, dtype=torch.bool)
    mask[0, :, :64, 64:] = False
    mask[1, :, :, 100:] = False
    plan = KernelPlan.of(q, mask, causal=False, scale=None)
    assert plan.live.tolist() == [
        [[2, 0, 0], [2, 2, 2], [2, 2, 2]],
        [[2, 1, 0], [2, 1, 0], [2, 1, 0]],
    ]


def test_a_mask_of_padding_stays_one_row_in_memory():
    valid = torch.ones(2, 1, 1, 130, dtype=torch.bool)
    valid[1, ..., 64:] = False
    plan = KernelPlan.of(
        torch.zeros(2, 1, 130, 16), valid.expand(-1, -1, 130, -1), causal=False, scale=1.0
    )
    assert plan.mask.stride(1) == plan.live.stride(1) == 0
    assert plan.live[1].tolist() == [[2, 0, 0]] * 3


@pytest.mark.parametrize(
    ("size", "tile", "width"), [(8, 64, 16), (64, 64, 64), (80, 32, 128), (256, 16, 256)]
)
def test_tiles_shrink_as_heads_grow(size, tile, width):
    plan = KernelPlan.of(torch.zeros(1, 1, 3, size), None, causal=True, scale=None)
    assert (plan.tile, plan.width, plan.scale) == (tile, width, size**-0.5)
