"""The contract of backbones refuses what only looks like one."""

import pytest
import torch

from vall_e.testing import BackboneContract
from vall_e_backbones.kernels import Sdpa
from vall_e_backbones.key_value_cache import KeyValueCache
from vall_e_backbones.llama import Llama
from vall_e_backbones.options import LlamaConfig


def _llama(kind=Llama, **options):
    torch.manual_seed(0)
    config = LlamaConfig(d_model=16, layers=2, heads=4, **options)
    return kind(config, attention=Sdpa("sdpa")).eval()


class Altered(Llama):
    """A llama whose arguments are altered on their way in."""

    def forward(self, x, *, lengths, positions, causal=True, cache=None):
        return super().forward(
            **self.alter(x=x, lengths=lengths, positions=positions, causal=causal, cache=cache)
        )


class DeafToPositions(Altered):
    def alter(self, positions, **rest):
        return {**rest, "positions": torch.zeros_like(positions)}


class CountsForItself(Altered):
    """Right until a sequence restarts its positions."""

    def alter(self, positions, cache, **rest):
        start = 0 if cache is None else cache.lengths[:, None]
        running = torch.arange(positions.shape[1]).expand_as(positions) + start
        return {**rest, "positions": running, "cache": cache}


class LosesPrecision(Altered):
    """Where products are in bf16, it is as coarse as one bit."""

    def alter(self, x, **rest):
        return {**rest, "x": x.sign() if torch.is_autocast_enabled("cpu") else x}


class HearsTheFirstRowOnly(Altered):
    def alter(self, positions, **rest):
        return {**rest, "positions": positions[:1].expand_as(positions)}


class IgnoresLengths(Altered):
    def alter(self, lengths, x, **rest):
        return {**rest, "x": x, "lengths": torch.full_like(lengths, x.shape[1])}


class LearnsFromTheFuture(Llama):
    """In training alone, where no output is looked at."""

    def forward(self, x, *, causal=True, **rest):
        return super().forward(x, causal=causal and not self.training, **rest)


class LearnsFromPadding(Llama):
    """Its loss, not its states."""

    def forward(self, x, **rest):
        hidden, auxiliary = super().forward(x, **rest)
        return hidden, auxiliary + x.square().mean()


class HasATableOfSixtyFour(Altered):
    def alter(self, positions, **rest):
        return {**rest, "positions": positions.clamp(max=63)}


class BeginsAnewAfterFour(Altered):
    def alter(self, positions, **rest):
        return {**rest, "positions": positions % 4}


class HoldsFewPositions(Llama):
    def forward(self, x, **rest):
        return super().forward(x + torch.zeros(64, 1)[: x.shape[1]], **rest)


class LeavesAMatrixBehind(Llama):
    def __init__(self, *given, **options):
        super().__init__(*given, **options)
        self.mixing = torch.eye(16)

    def forward(self, x, **rest):
        return super().forward(x @ self.mixing.to(x.dtype), **rest)


class AlwaysCausal(Altered):
    def alter(self, causal, **rest):
        return {**rest, "causal": True}


class NeverCausal(Altered):
    def alter(self, causal, cache, **rest):
        return {**rest, "causal": cache is not None, "cache": cache}


class MixesRows(Llama):
    def forward(self, x, **rest):
        hidden, auxiliary = super().forward(x, **rest)
        return hidden + hidden.mean(0, keepdim=True), auxiliary


class ChangesItsInput(Llama):
    def forward(self, x, **rest):
        if not x.requires_grad:
            x += 0.1
        return super().forward(x, **rest)


class AlwaysDrops(Llama):
    def forward(self, x, **rest):
        return super().forward(torch.nn.functional.dropout(x, 0.1), **rest)


class StopsGradients(Llama):
    def forward(self, x, **rest):
        return super().forward(x.detach(), **rest)


class WithCache(Llama):
    def new_cache(self, batch, max_length):
        plain = super().new_cache(batch, max_length)
        return self.cache(plain.keys, plain.values)


class SelectsNothing(WithCache):
    class cache(KeyValueCache):  # noqa: N801
        def select(self, rows):
            return self


class SelectsWrongRows(WithCache):
    """Lengths are those of the rows asked for, what is remembered is not."""

    class cache(KeyValueCache):  # noqa: N801
        def select(self, rows):
            chosen = super().select(rows)
            chosen.keys = self.keys[:, : len(rows)].clone()
            chosen.values = self.values[:, : len(rows)].clone()
            return chosen


class SelectsInItsOwnOrder(WithCache):
    class cache(KeyValueCache):  # noqa: N801
        def select(self, rows):
            return super().select(rows.sort().values)


class ForgetsLengthsWhenSelecting(WithCache):
    class cache(KeyValueCache):  # noqa: N801
        def select(self, rows):
            return type(self)(self.keys[:, rows], self.values[:, rows])


class GrowsAllRowsAlike(WithCache):
    class cache(KeyValueCache):  # noqa: N801
        def reserve(self, lengths, size):
            return super().reserve(torch.full_like(lengths, size), size)


class CountsTheSteps(WithCache):
    """Takes the number of passes for the number of positions: refuses too early."""

    class cache(KeyValueCache):  # noqa: N801
        asked = 0

        def reserve(self, lengths, size):
            self.asked += size
            if self.asked > self.max_length:
                raise ValueError(f"the cache holds {self.max_length}")
            return super().reserve(lengths, size)


class WritesPaddingOverTheLast(WithCache):
    class cache(KeyValueCache):  # noqa: N801
        def reserve(self, lengths, size):
            return super().reserve(lengths, size).clamp(max=self.max_length - 1)


class IgnoresItsCache(Altered):
    def alter(self, cache, x, **rest):
        fresh = cache and self.new_cache(len(x), cache.max_length)
        return {**rest, "x": x, "cache": fresh}


class OneCacheForAll(WithCache):
    class cache(KeyValueCache):  # noqa: N801
        pass

    def new_cache(self, batch, max_length):
        if not hasattr(self, "only"):
            self.only = super().new_cache(batch, max_length)
        return self.only


class LooksAtEachAlone(Llama):
    def forward(self, x, *, lengths, positions, causal=True, cache=None):
        b, t, d = x.shape
        states, auxiliary = super().forward(
            x.reshape(b * t, 1, d),
            lengths=torch.ones(b * t, dtype=torch.long),
            positions=positions.reshape(-1, 1),
        )
        return states.view(b, t, d), auxiliary


class GathersInAnotherOrder(Llama):
    def forward(self, x, *, wanted=None, **rest):
        return super().forward(x, wanted=None if wanted is None else wanted.flip(1), **rest)


class SaysYes(Llama):
    bidirectional = "yes"


class StepsOneAhead(Llama):
    def steps(self):
        step = super().steps()
        return lambda x, positions, cache: step(x, positions + 1, cache)


class NeverFull(Llama):
    def new_cache(self, batch, max_length):
        return super().new_cache(batch, 2 * max_length)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (DeafToPositions, "test_each_row_uses_its_own_positions"),
        (CountsForItself, "test_each_row_uses_its_own_positions"),
        (HearsTheFirstRowOnly, "test_each_row_uses_its_own_positions"),
        (LosesPrecision, "test_mixed_precision_gives_about_the_same"),
        (IgnoresLengths, "test_padding_changes_nothing"),
        (AlwaysCausal, "test_bidirectional_sees_the_future"),
        (NeverCausal, "test_causal_does_not_see_the_future"),
        (MixesRows, "test_a_row_is_the_same_alone"),
        (ChangesItsInput, "test_does_not_change_its_inputs"),
        (AlwaysDrops, "test_the_same_input_gives_the_same_output"),
        (StopsGradients, "test_gradients_reach_every_parameter"),
        (SelectsNothing, "test_selected_rows_continue_unchanged"),
        (SelectsWrongRows, "test_selected_rows_continue_unchanged"),
        (SelectsInItsOwnOrder, "test_selected_rows_continue_unchanged"),
        (ForgetsLengthsWhenSelecting, "test_selected_rows_continue_unchanged"),
        (GrowsAllRowsAlike, "test_rows_of_one_cache_grow_each_at_its_own_pace"),
        (CountsTheSteps, "test_rows_of_one_cache_grow_each_at_its_own_pace"),
        (WritesPaddingOverTheLast, "test_rows_of_one_cache_grow_each_at_its_own_pace"),
        (StepsOneAhead, "test_a_step_equals_a_pass_over_one_position"),
        (NeverFull, "test_a_full_cache_is_refused"),
        (IgnoresItsCache, "test_a_cache_gives_the_same_as_one_pass"),
        (OneCacheForAll, "test_two_caches_share_nothing"),
        (LooksAtEachAlone, "test_sees_the_past"),
        (GathersInAnotherOrder, "test_wanted_states_equal_those_of_a_whole_pass"),
        (SaysYes, "test_states_what_it_can_do"),
        (LearnsFromTheFuture, "test_in_training_a_row_depends_on_itself_and_not_on_padding"),
        (LearnsFromPadding, "test_in_training_a_row_depends_on_itself_and_not_on_padding"),
        (HoldsFewPositions, "test_many_positions_work"),
        (HasATableOfSixtyFour, "test_positions_far_apart_differ"),
        (BeginsAnewAfterFour, "test_positions_far_apart_differ"),
        (LeavesAMatrixBehind, "test_all_tensors_move_with_the_module"),
    ],
)
def test_a_broken_backbone_is_refused(judge, broken, refused_by):
    assert refused_by in judge(BackboneContract, lambda: _llama(broken), only=refused_by).failed


def test_a_sound_backbone_passes(judge):
    verdict = judge(BackboneContract, _llama)
    assert not verdict.failed
    assert not verdict.skipped


def test_what_it_cannot_do_is_skipped_and_not_passed(judge):
    class Left(Llama):
        bidirectional = False
        caches = False

    verdict = judge(BackboneContract, lambda: _llama(Left))
    assert not verdict.failed
    assert "not bidirectional" in verdict.skipped["test_bidirectional_sees_the_future"]
    assert "has no cache" in verdict.skipped["test_selected_rows_continue_unchanged"]


def test_a_backbone_that_claims_to_ignore_positions_must_ignore_them(judge):
    verdict = judge(BackboneContract, _llama, uses_positions=False)
    assert verdict.failed == {"test_each_row_uses_its_own_positions"}
