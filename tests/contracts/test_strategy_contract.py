"""The contract of decoding strategies refuses what only looks like one."""

import pytest
import torch
from attrs import evolve

from vall_e.decoding.job import Decoded
from vall_e.decoding.strategies.components import STRATEGIES
from vall_e.testing import StrategyContract, contract_of
from vall_e.testing.contracts.run import laws_of

AUTO, AR, DEMASK = STRATEGIES


class TestAuto(contract_of("strategy", AUTO)):
    pass


class TestFrameByFrame(contract_of("strategy", AR)):
    sampling = {"ar": ["categorical"]}  # noqa: RUF012


class TestBestOfTwo(contract_of("strategy", AR)):
    sampling = {"ar": ["categorical"], "candidates": 2}  # noqa: RUF012


class TestBeamSearch(contract_of("strategy", AR)):
    sampling = {"ar": ["greedy"], "beams": 2}  # noqa: RUF012


class TestMaskedDecoding(contract_of("strategy", DEMASK)):
    pass


class TestWarmMaskedDecoding(contract_of("strategy", DEMASK)):
    sampling = {"demask": {"temperature": 5.0}}  # noqa: RUF012


class Plain:
    """One sentence after the other, drawn frame by frame."""

    capability = "ar"

    def __init__(self, model=None):
        self.written = 0

    def deterministic(self, level_0):
        return False

    def __call__(self, level_0, jobs, attempt, on_frame):
        return [self.write(level_0, job, attempt, on_frame) for job in jobs]

    def write(self, level_0, job, attempt, on_frame):
        rows, samplers = level_0.read([job]), level_0.draw([job])
        codes, ended = torch.empty(1, 0, dtype=torch.long), False
        while codes.shape[1] < self.most(job) and not ended:
            token = samplers.draw(codes, rows.logits(), [self.generator(job, attempt)])
            on_frame()
            ended = self.ends(token, level_0)
            if not ended:
                codes = torch.cat([codes, token[:, None]], dim=1)
                rows.append(token.clamp(max=level_0.stop - 1))
        return Decoded(codes, ended)

    def most(self, job):
        return job.bounds.most

    def ends(self, token, level_0):
        return token.item() == level_0.stop

    def generator(self, job, attempt):
        return job.generator(attempt, "ar")


class NamesNothing(Plain):
    capability = "nar"


class LosesASentence(Plain):
    def __call__(self, level_0, jobs, attempt, on_frame):
        return super().__call__(level_0, jobs, attempt, on_frame)[:-1]


class WritesOneMore(Plain):
    def most(self, job):
        return job.bounds.most + 1


class KeepsTheStop(Plain):
    def write(self, level_0, job, attempt, on_frame):
        made = super().write(level_0, job, attempt, on_frame)
        return evolve(made, codes=torch.full_like(made.codes, level_0.stop))


class DependsOnOthers(Plain):
    """Every sentence of a batch is drawn with one generator."""

    def __call__(self, level_0, jobs, attempt, on_frame):
        self.shared = jobs[0].generator(attempt, "ar")
        return super().__call__(level_0, jobs, attempt, on_frame)

    def generator(self, job, attempt):
        return self.shared


class DrawsForTheWorld(Plain):
    def write(self, level_0, job, attempt, on_frame):
        made = super().write(level_0, job, attempt, on_frame)
        return evolve(made, codes=torch.randint_like(made.codes, level_0.stop))


class ForgetsTheSeed(Plain):
    def generator(self, job, attempt):
        return torch.Generator().manual_seed(0)


class ForgetsTheAttempt(Plain):
    def generator(self, job, attempt):
        return job.generator(0, "ar")


class SaysItIsFixed(Plain):
    def deterministic(self, level_0):
        return True


class IsSilent(Plain):
    def write(self, level_0, job, attempt, on_frame):
        return super().write(level_0, job, attempt, lambda: None)


class CannotBeStopped(Plain):
    def write(self, level_0, job, attempt, on_frame):
        try:
            return super().write(level_0, job, attempt, on_frame)
        except KeyboardInterrupt:
            return Decoded(torch.zeros(1, 1, dtype=torch.long), False)


class Trains(Plain):
    def write(self, level_0, job, attempt, on_frame):
        next(level_0.model.parameters()).data.add_(1)
        return super().write(level_0, job, attempt, on_frame)


@pytest.mark.parametrize(
    ("broken", "refused_by"),
    [
        (NamesNothing, "test_names_the_capability_that_it_needs"),
        (LosesASentence, "test_writes_codes_for_each_sentence"),
        (WritesOneMore, "test_writes_codes_for_each_sentence"),
        (KeepsTheStop, "test_writes_codes_for_each_sentence"),
        (DependsOnOthers, "test_a_sentence_is_the_same_alone"),
        (DrawsForTheWorld, "test_the_same_seed_gives_the_same_codes"),
        (DrawsForTheWorld, "test_leaves_the_global_random_numbers_alone"),
        (ForgetsTheSeed, "test_another_seed_or_attempt_gives_other_codes"),
        (ForgetsTheAttempt, "test_another_seed_or_attempt_gives_other_codes"),
        (SaysItIsFixed, "test_another_seed_or_attempt_gives_other_codes"),
        (IsSilent, "test_reports_its_steps"),
        (CannotBeStopped, "test_can_be_stopped"),
        (Trains, "test_changes_neither_jobs_nor_weights"),
    ],
)
def test_a_broken_strategy_is_refused(judge, broken, refused_by):
    drawn = {"ar": ["categorical"]}
    verdict = judge(StrategyContract, broken, only=refused_by, sampling=drawn)
    assert refused_by in verdict.failed


def test_a_plain_one_is_a_strategy(judge):
    verdict = judge(StrategyContract, Plain, sampling={"ar": ["categorical"]})
    assert verdict.passed == set(laws_of(StrategyContract))
