"""The contract of attention kernels refuses what only looks like one."""

import pytest
import torch
from torch.nn.functional import dropout as drop

from vall_e.errors import UnavailableError
from vall_e.testing import AttentionContract
from vall_e_backbones.kernels import Eager


class Altered(Eager):
    """A plain kernel whose options are altered on their way in."""

    def __call__(self, q, k, v, **options):
        return super().__call__(q, k, v, **self.alter(options))


class IgnoresScale(Altered):
    def alter(self, options):
        return {**options, "scale": None}


class IgnoresDropout(Altered):
    def alter(self, options):
        return {**options, "dropout": 0.0}


class DropsTooMuch(Altered):
    def alter(self, options):
        return {**options, "dropout": 2 * options["dropout"]}


class AlwaysDrops(Altered):
    def alter(self, options):
        return {**options, "dropout": options["dropout"] or 0.1}


class IgnoresMasks(Altered):
    def alter(self, options):
        return {**options, "mask": None}


class IgnoresCausal(Altered):
    def alter(self, options):
        return {**options, "causal": False}


class MasksByTheFirstRow(Altered):
    def alter(self, options):
        mask = options["mask"]
        return {**options, "mask": None if mask is None else mask[:1].expand_as(mask)}


class DropsOutputs(Eager):
    def __call__(self, q, k, v, *, dropout=0.0, **options):
        return drop(super().__call__(q, k, v, **options), dropout, training=dropout > 0)


class DropsWithoutScalingUp(Eager):
    def __call__(self, q, k, v, *, dropout=0.0, **options):
        return super().__call__(q, k, v, dropout=dropout, **options) * (1 - dropout)


class SharesHeadsWrongly(Eager):
    """Heads that share keys are neighbours; here they are strangers."""

    def __call__(self, q, k, v, **options):
        groups = q.shape[1] // k.shape[1]
        return super().__call__(q, k.repeat(1, groups, 1, 1), v.repeat(1, groups, 1, 1), **options)


class Overflows(Eager):
    def __call__(self, q, k, v, *, mask=None, causal=False, scale=None, dropout=0.0):
        if mask is not None or k.shape[1] != q.shape[1] or dropout:
            return super().__call__(q, k, v, mask=mask, causal=causal, scale=scale, dropout=dropout)
        scores = (q @ k.transpose(-1, -2) * (q.shape[-1] ** -0.5 if scale is None else scale)).exp()
        scores = scores.tril() if causal else scores
        return scores / scores.sum(-1, keepdim=True) @ v


class GivesFloats(Eager):
    def __call__(self, q, k, v, **options):
        return super().__call__(q, k, v, **options).float()


class WritesIntoItsInput(Eager):
    def __call__(self, q, k, v, **options):
        out = super().__call__(q, k, v, **options)
        if not v.requires_grad and "mask" in options and options["mask"] is not None:
            v.mul_(options["mask"][:, :, -1, :, None])
        return out


class StopsGradients(Eager):
    def __call__(self, q, k, v, **options):
        return super().__call__(q, k.detach(), v, **options)


class TakesAllMasksForPadding(Altered):
    def alter(self, options):
        mask = options["mask"]
        return {**options, "mask": None if mask is None else mask[:, :, :1].expand_as(mask)}


class LosesWhatIsBehindItsTile(Eager):
    def __call__(self, q, k, v, *, mask=None, causal=False, scale=None, dropout=0.0):
        tile = slice(None) if causal else slice(128)
        mask = None if mask is None else mask[..., tile]
        options = {"mask": mask, "causal": causal, "scale": scale, "dropout": dropout}
        return super().__call__(q, k[:, :, tile], v[:, :, tile], **options)


class KnowsOnlyEvenTiles(Eager):
    """Heads of 24 channels are cut to 16, and nobody is told."""

    def __call__(self, q, k, v, **options):
        even = 1 << (q.shape[-1].bit_length() - 1)
        out = super().__call__(q[..., :even], k[..., :even], v, **options)
        return out if even == q.shape[-1] else out + 0.5


class LosesGradientsInHalf(Eager):
    """Of the values only, and in 16 bits only."""

    def __call__(self, q, k, v, **options):
        half = q.dtype != torch.float32
        return super().__call__(q, k, v.detach() + 0 * v if half else v, **options)


class TakesTheLastRowOfAMask(Eager):
    """Where there are fewer queries than keys: right for one query."""

    def __call__(self, q, k, v, *, mask=None, **options):
        if mask is not None and q.shape[2] != k.shape[2]:
            mask = mask[:, :, -1:]
        return super().__call__(q, k, v, mask=mask, **options)


class TurnsTheMask(Eager):
    """Into one of what is hidden, and in place."""

    def __call__(self, q, k, v, *, mask=None, **options):
        out = super().__call__(q, k, v, mask=mask, **options)
        if mask is not None:
            mask[..., :1].logical_not_()
        return out


class RefusesInSilence(Eager):
    """Says that it cannot, and then does."""

    def unsupported(self, case):
        return "it is Saturday"


class GivesNoReason(Eager):
    def unsupported(self, case):
        return ""

    def __call__(self, q, k, v, **options):
        raise UnavailableError("no", hint="take another")


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (IgnoresScale, "test_uses_a_given_scale"),
        (IgnoresDropout, "test_drops_single_weights_and_scales_up_the_rest"),
        (DropsTooMuch, "test_drops_single_weights_and_scales_up_the_rest"),
        (DropsOutputs, "test_drops_single_weights_and_scales_up_the_rest"),
        (DropsWithoutScalingUp, "test_drops_single_weights_and_scales_up_the_rest"),
        (AlwaysDrops, "test_without_dropout_it_is_deterministic"),
        (IgnoresMasks, "test_equals_the_plain_formula"),
        (IgnoresCausal, "test_equals_the_plain_formula"),
        (MasksByTheFirstRow, "test_equals_the_plain_formula"),
        (SharesHeadsWrongly, "test_equals_the_plain_formula"),
        (GivesFloats, "test_equals_the_plain_formula"),
        (Overflows, "test_large_scores_do_not_overflow"),
        (WritesIntoItsInput, "test_does_not_change_its_inputs"),
        (TurnsTheMask, "test_does_not_change_its_inputs"),
        (TakesTheLastRowOfAMask, "test_a_few_queries_of_many_keys"),
        (StopsGradients, "test_gradients_equal_the_plain_formula"),
        (TakesAllMasksForPadding, "test_equals_the_plain_formula"),
        (LosesWhatIsBehindItsTile, "test_equals_the_plain_formula_over_many_keys"),
        (KnowsOnlyEvenTiles, "test_heads_of_any_size_are_computed_or_refused"),
        (LosesGradientsInHalf, "test_gradients_equal_the_plain_formula"),
        (RefusesInSilence, "test_equals_the_plain_formula"),
        (GivesNoReason, "test_equals_the_plain_formula"),
    ],
)
def test_a_broken_kernel_is_refused(judge, broken, refused_by):
    assert refused_by in judge(AttentionContract, broken, only=refused_by).failed


def test_a_sound_kernel_passes(judge):
    verdict = judge(AttentionContract, Eager)
    assert not verdict.failed
    assert not verdict.skipped


def test_a_kernel_that_is_not_for_this_machine_is_skipped_with_its_reason(judge):
    class Absent(Eager):
        name = "absent"

        def unsupported(self, case):
            return f"there is no {case.device.type} version"

        def __call__(self, q, k, v, **options):
            raise UnavailableError("there is no cpu version", hint="take another")

    verdict = judge(AttentionContract, Absent)
    assert verdict.passed == {"test_has_a_name"}
    assert set(verdict.skipped.values()) == {"absent: there is no cpu version"}


def test_what_a_call_asks_for_makes_the_case():
    class Noting(Eager):
        seen = None

        def unsupported(self, case):
            self.seen = case

    contract, kernel = AttentionContract(), Noting()
    contract.make = lambda: kernel
    q, k = torch.zeros(1, 4, 3, 8, requires_grad=True), torch.zeros(1, 2, 3, 8)
    contract._attend(q, k, k, kind="causal", dropout=0.5)
    seen = kernel.seen
    assert (seen.head_dim, seen.heads, seen.kv_heads) == (8, 4, 2)
    assert (seen.masked, seen.causal, seen.dropout, seen.training) == (False, True, 0.5, True)
