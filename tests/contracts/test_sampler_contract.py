"""The contract of samplers refuses what only looks like one."""

from typing import ClassVar

import pytest
import torch

from vall_e.categorical import draw_categorical
from vall_e.testing import SamplerContract


class Plain:
    def __call__(self, history, logits):
        return logits


class ChangesInPlace:
    def __call__(self, history, logits):
        return logits.mul_(0.5)


class LooksAtOtherRows:
    def __call__(self, history, logits):
        return logits - 3 * logits.mean(0, keepdim=True)


class BansWhatWasDrawn:
    def __call__(self, history, logits):
        return logits.scatter(-1, history, float("-inf"))


class BringsBackTheImpossible:
    def __call__(self, history, logits):
        return logits.clamp(min=-5)


class CutsTheLast:
    def __call__(self, history, logits):
        return logits[:, :-1]


class WantsAHistory:
    def __call__(self, history, logits):
        return logits - (history[:, -1:] == 0) * 0.1


class RemembersItsRows:
    kept = None

    def __call__(self, history, logits):
        self.kept = logits if self.kept is None else 0.5 * (self.kept + logits)
        return self.kept


class RemembersForAll:
    kept: ClassVar[list] = []

    def __call__(self, history, logits):
        if self.kept and self.kept[-1].shape == logits.shape:
            logits = logits + self.kept[-1]
        self.kept.append(logits.detach())
        return logits


class KeepsItsRows(Plain):
    """Its rows stay in place when others leave."""

    def __init__(self):
        self.sums = None

    def __call__(self, history, logits):
        changed = logits if self.sums is None else logits + self.sums[: len(logits)]
        self.sums = changed
        return changed

    def select(self, rows):
        self.sums = None if self.sums is None else self.sums[: len(rows)]


class Exponential(Plain):
    def __call__(self, history, logits):
        return logits.exp()


class WantsFullPrecision(Plain):
    def __call__(self, history, logits):
        return logits @ torch.eye(logits.shape[-1])


class LooksAtTheLikeliest:
    def draw(self, history, logits, generators):
        return torch.tensor(logits.argmax(-1).tolist())


class DrawsByTheGlobalSeed:
    def draw(self, history, logits, generators):
        return logits.float().softmax(-1).multinomial(1)[:, 0]


class SharesOneGenerator:
    def draw(self, history, logits, generators):
        return draw_categorical(logits, [generators[0]] * len(logits))


class Seeds:
    """Draws well, from generators that are not those of its rows."""

    def draw(self, history, logits, generators):
        return draw_categorical(logits, [self.other(each) for each in generators])


class OneSeedForAll(Seeds):
    def other(self, generator):
        return torch.Generator().manual_seed(0)


class StartsEachFrameAnew(Seeds):
    def other(self, generator):
        return generator.manual_seed(generator.initial_seed())


class Says:
    """Draws by `noise` of `logits`; said to be a draw from their softmax."""

    def draw(self, history, logits, generators):
        [generator] = set(generators)
        noise = self.noise(torch.rand(logits.shape, generator=generator))
        return (logits + noise).argmax(-1)


class AddsFlatNoise(Says):
    def noise(self, uniform):
        return uniform


class IsATenthTooCold(Says):
    def noise(self, uniform):
        return -(-uniform.log()).log() / 1.1


class BansTheEnd(Plain):
    def __call__(self, history, logits):
        banned = logits.clone()
        banned[:, -1] -= 1e4
        return banned.where(banned > -9e3, float("-inf"))


class DrawsColumns:
    def draw(self, history, logits, generators):
        return logits.argmax(-1, keepdim=True)


class DrawsLeastLikely:
    def draw(self, history, logits, generators):
        return logits.argmin(-1)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (ChangesInPlace, "test_does_not_change_its_inputs"),
        (LooksAtOtherRows, "test_a_row_draws_the_same_alone_and_in_a_batch"),
        (BansWhatWasDrawn, "test_a_history_of_all_tokens_leaves_one_to_draw"),
        (BringsBackTheImpossible, "test_never_draws_an_impossible_token"),
        (CutsTheLast, "test_keeps_the_shape"),
        (WantsAHistory, "test_needs_no_history"),
        (RemembersItsRows, "test_works_when_history_grows_and_rows_leave"),
        (DrawsByTheGlobalSeed, "test_all_randomness_comes_from_the_generators"),
        (LooksAtTheLikeliest, "test_does_not_synchronize_with_the_device"),
        (SharesOneGenerator, "test_a_row_draws_the_same_alone_and_in_a_batch"),
        (DrawsByTheGlobalSeed, "test_same_seeds_give_the_same_tokens"),
        (RemembersForAll, "test_instances_share_no_state"),
        (KeepsItsRows, "test_state_follows_its_row"),
        (Exponential, "test_extreme_logits_do_not_break_it"),
        (WantsFullPrecision, "test_works_in_half_precision"),
        (DrawsColumns, "test_keeps_the_shape"),
        (DrawsLeastLikely, "test_draws_the_only_possible_token"),
        (BansTheEnd, "test_draws_the_only_possible_token"),
        (OneSeedForAll, "test_each_row_seed_and_frame_draws_independently"),
        (StartsEachFrameAnew, "test_each_row_seed_and_frame_draws_independently"),
    ],
)
def test_a_broken_sampler_is_refused(judge, broken, refused_by):
    assert refused_by in judge(SamplerContract, broken, only=refused_by).failed


class SaysSoftmax(SamplerContract):
    def probabilities(self, history, logits):
        return logits.softmax(-1)


@pytest.mark.parametrize(
    ("made", "right"),
    [
        (lambda: type("Right", (Says,), {"noise": lambda self, u: -(-u.log()).log()})(), True),
        (AddsFlatNoise, False),
        (IsATenthTooCold, False),
    ],
    ids=["right", "flat noise", "a tenth too cold"],
)
def test_a_draw_that_does_not_follow_what_it_says_is_refused(judge, made, right):
    verdict = judge(SaysSoftmax, made, only="test_draws_with_the_stated_probabilities")
    assert bool(verdict.failed) != right


def test_a_draw_that_never_draws_deterministic_is_not_a_problem(judge):
    class Greedy:
        def draw(self, history, logits, generators):
            return logits.argmax(-1)

    law = "test_each_row_seed_and_frame_draws_independently"
    assert "always" in judge(SamplerContract, Greedy, only=law).skipped[law]


def test_a_sound_sampler_passes(judge):
    assert not judge(SamplerContract, Plain).failed


def test_a_sampler_that_cannot_do_without_a_look_may_say_so(judge):
    class Looking(SamplerContract):
        looks = True

    assert not judge(
        Looking, LooksAtTheLikeliest, only="test_does_not_synchronize_with_the_device"
    ).failed


def test_one_that_processes_and_draws_is_refused(judge):
    class Both(Plain):
        def draw(self, history, logits, generators):
            return logits.argmax(-1)

    assert "test_is_a_processor_or_a_draw_and_not_both" in judge(SamplerContract, Both).failed


def test_one_that_does_neither_is_refused(judge):
    class Neither:
        pass

    name = "test_is_a_processor_or_a_draw_and_not_both"
    assert name in judge(SamplerContract, Neither, only=name).failed
