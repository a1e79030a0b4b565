"""What every decoding strategy must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch

from vall_e.decoding.ar.loop import ArStage
from vall_e.decoding.ar.stopping import Bounds
from vall_e.decoding.job import Decoded, Job
from vall_e.decoding.level_0 import Level0, Strategy
from vall_e.discovery import discover
from vall_e.interfaces.task import Sample
from vall_e.testing.contracts.pytest_words import pytest
from vall_e.testing.contracts.requirements import require_equal
from vall_e.testing.fakes.staircase_codec import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle

if TYPE_CHECKING:
    from vall_e.model.valle import Valle
    from vall_e.weights.file import Bundle

MOST = (9, 6, 12)
"""Frames that each sentence has at most."""
MODEL: Mapping[str, object] = MappingProxyType(
    {
        "model": {
            "backbone": {"name": "llama", "d_model": 32, "layers": 2, "heads": 2},
            "capabilities": ["ar", "nar", "len"],
        },
        "tasks": ["tts", "len"],
    }
)


class StrategyContract:
    """`make` builds the strategy for a model.

    `sampling` are options of `sampling` that it is tested with.
    """

    sampling: Mapping[str, object] = MappingProxyType({})

    def make(self, model: Valle) -> Strategy:
        raise NotImplementedError

    @pytest.fixture
    def level_0(self) -> Level0:
        sections: dict[str, Any] = {**MODEL, "sampling": dict(self.sampling)}
        registry = discover(load_plugins=False)
        return self._level_0(tiny_bundle(registry, StaircaseCodec(), **sections))

    def test_names_the_capability_that_it_needs(self, level_0: Level0) -> None:
        strategy = level_0.strategy
        assert isinstance(strategy, Strategy), "it lacks `capability`, `deterministic` or a call"
        assert strategy.capability in {"ar", "len"}, (
            f"`capability` is {strategy.capability!r}: give 'ar' or 'len'"
        )

    def test_writes_codes_for_each_sentence(self, level_0: Level0) -> None:
        """Where it ends, the stop token is not among the codes."""
        found = self._write(level_0, _jobs())
        assert len(found) == len(MOST), f"{len(found)} results for {len(MOST)} sentences"
        for each, most in zip(found, MOST, strict=True):
            codes = each.codes
            assert codes.ndim == 2, f"codes have the shape {tuple(codes.shape)}, not (n, f)"
            assert codes.dtype == torch.long, f"codes are {codes.dtype}, not integers of 64 bits"
            assert codes.device.type == "cpu", f"codes are on {codes.device}, not on the CPU"
            assert 1 <= each.frames <= most, f"{each.frames} frames, where 1 to {most} are allowed"
            largest = int(codes.max())
            assert largest < level_0.stop, (
                f"the largest code is {largest}: {level_0.stop} is the stop token, not a code"
            )
            assert int(codes.min()) >= 0, f"the smallest code is {int(codes.min())}"

    def test_a_sentence_is_the_same_alone(self, level_0: Level0) -> None:
        together = self._write(level_0, _jobs())
        for job, beside in zip(_jobs(), together, strict=True):
            [alone] = self._write(level_0, [job])
            _require_same(alone, beside, "a sentence is another one beside others than alone")

    def test_the_same_seed_gives_the_same_codes(self, level_0: Level0) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            first = self._write(level_0, _jobs(seed=3))
            torch.manual_seed(2)
            again = self._write(level_0, _jobs(seed=3))
        for one, two in zip(first, again, strict=True):
            _require_same(
                one, two, "the same seed gives other codes: draw by `job.generator(...)` alone"
            )

    def test_another_seed_or_attempt_gives_other_codes(self, level_0: Level0) -> None:
        """Unless it says that it is deterministic: then it gives the same."""
        fixed = level_0.strategy.deterministic(level_0)
        first = self._write(level_0, _jobs(seed=0))
        others = {
            "seeds": self._write(level_0, _jobs(seed=1)),
            "attempts": self._write(level_0, _jobs(seed=0), attempt=1),
        }
        for what, other in others.items():
            same = all(a.codes.equal(b.codes) for a, b in zip(first, other, strict=True))
            assert same == fixed, (
                f"two {what} give {'the same' if same else 'other'} codes, and `deterministic` "
                f"is {fixed}"
            )

    def test_leaves_the_global_random_numbers_alone(self, level_0: Level0) -> None:
        before = torch.get_rng_state()
        self._write(level_0, _jobs())
        require_equal(torch.get_rng_state(), before, "it draws from torch's global random numbers")

    def test_reports_its_steps(self, level_0: Level0) -> None:
        steps: list[int] = []
        level_0.strategy(level_0, _jobs(), 0, lambda: steps.append(1))
        assert steps, "`on_frame` is never called: progress stands still until the end"

    def test_can_be_stopped(self, level_0: Level0) -> None:
        """Ctrl-C during a step ends it."""

        def stop() -> None:
            raise KeyboardInterrupt

        try:
            level_0.strategy(level_0, _jobs(), 0, stop)
        except KeyboardInterrupt:
            return
        raise AssertionError("KeyboardInterrupt of `on_frame` is swallowed")

    def test_changes_neither_jobs_nor_weights(self, level_0: Level0) -> None:
        jobs = _jobs()
        weights = {name: each.clone() for name, each in level_0.model.state_dict().items()}
        self._write(level_0, jobs)
        for job, fresh in zip(jobs, _jobs(), strict=True):
            require_equal(job.sample.text, fresh.sample.text, "a job's text was changed")
        for name, each in level_0.model.state_dict().items():
            require_equal(each, weights[name], f"the model's {name} was changed")

    def _level_0(self, bundle: Bundle) -> Level0:
        tasks = [choice.build() for choice in bundle.config.tasks]
        return Level0(
            ArStage(bundle.model, tasks[0], bundle.config.sampling),
            self.make(bundle.model),
            attempts=1,
            frame_rate=50.0,
            length=tasks[1],
        )

    def _write(self, level_0: Level0, jobs: Sequence[Job], attempt: int = 0) -> list[Decoded]:
        return list(level_0.strategy(level_0, jobs, attempt, lambda: None))


def _jobs(seed: int = 0) -> list[Job]:
    """Sentences of different lengths."""
    return [
        Job(
            Sample(
                text=torch.arange(1, 4 + 2 * place),
                language=0,
                prompt=None,
                response=torch.zeros(1, 0, dtype=torch.long),
            ),
            seed=seed,
            place=place,
            bounds=Bounds(1, most),
        )
        for place, most in enumerate(MOST)
    ]


def _require_same(one: Decoded, two: Decoded, broken: str) -> None:
    assert one.codes.equal(two.codes), f"{broken}: {one.codes.tolist()}, not {two.codes.tolist()}"
    assert one.ended == two.ended, f"{broken}: it ended: {one.ended}, not {two.ended}"
