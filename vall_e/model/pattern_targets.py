"""A response as the steps of a pattern: the model's input, and its targets."""

from __future__ import annotations

import torch
from attrs import evolve, frozen
from jaxtyping import Int
from torch import Tensor

from vall_e.interfaces.task import Segment
from vall_e.model.patterns import ABSENT, Pattern, places_of, to_steps
from vall_e.model.sequence import Example


@frozen(eq=False, kw_only=True)
class PatternTargets(Segment):
    """The last segment of an example, step by step.

    `ids` (m, s): the code in each slot, `ABSENT` if there is none. `positions`: of the steps,
    where positions restart. `targets` (m, s + 1): what each slot must predict before the first
    step and after each, `ABSENT` for nothing.
    """

    positions: Int[Tensor, " s"]
    targets: Int[Tensor, "m u"]


def laid_out(example: Example, pattern: Pattern, stop: int, *, cut: float = 0.0) -> Example:
    """The example with its response as steps. `cut` is the share of groups that are shortened.

    A shortened group holds fewer frames than it predicts, as when the rest is discarded; which
    groups is drawn from torch's random state.
    """
    codes = example.target.ids.cpu()
    frames = codes.shape[1]
    places = _cut_places(pattern, frames, cut) if cut else places_of(pattern, frames)
    cells = pattern.cells(places, frames)
    if cut:
        ends = torch.cat([places[1:], places.new_tensor([frames])])
        cells = cells.masked_fill(cells >= ends, ABSENT)
    steps = PatternTargets(
        "steps",
        to_steps(pattern, codes, cells),
        positions=pattern.positions(places, frames),
        targets=_targets(pattern, codes, places, stop),
    )
    return evolve(example, segments=(*example.segments[:-1], steps))


def steps_of(example: Example) -> PatternTargets:
    """The last segment of an example, if it was laid out."""
    if not isinstance(example.target, PatternTargets):
        raise TypeError(f"the example ends with {example.target.name}, which was not laid out")
    return example.target


def _targets(
    pattern: Pattern, codes: Int[Tensor, "k f"], places: Int[Tensor, " s"], stop: int
) -> Int[Tensor, "m u"]:
    """All codes that each step could predict, and the stop token after the last frame."""
    frames = codes.shape[1]
    all_places = torch.cat([places, places.new_tensor([pattern.end(frames)])])
    targets = to_steps(pattern, codes, pattern.cells(all_places, frames))
    coarse = torch.tensor(pattern.levels)[:, None] == 0
    stops = (pattern.cells(all_places, None) == frames) & coarse
    if stops[:, :-1].any():  # then stop is predicted before the last step is read
        stops[:, -1] = False
    return targets.masked_fill(stops, stop)


def _cut_places(pattern: Pattern, frames: int, share: float) -> Int[Tensor, " s"]:
    """The first frames of groups, of which this share holds fewer frames than it could."""
    whole = pattern.stride
    sizes = torch.full((frames + 1,), whole)
    short = torch.rand(frames + 1) < share
    sizes[short] = torch.randint(1, max(whole, 2), (frames + 1,))[short]
    places = torch.cat([sizes.new_zeros(1), sizes.cumsum(0)])
    return places[places < frames]
