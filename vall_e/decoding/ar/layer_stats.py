"""Statistics of runs with fewer layers than the model has."""

from __future__ import annotations

from attrs import define


@define
class Effort:
    """Counted for one sentence while it is written; all zero where every layer runs."""

    drafted: int = 0
    """Frames drafted by the first layers and checked by all."""
    accepted: int = 0
    """Drafted frames that were accepted."""
    frames: int = 0
    """Frames that could leave early."""
    layers: int = 0
    """What these frames ran through before it was known what comes next, added up."""

    def plain(self) -> dict[str, float]:
        """For JSON: what there is to say."""
        told: dict[str, float] = {}
        if self.drafted:
            told |= {"drafted": self.drafted, "accepted": self.accepted}
        if self.frames:
            told["layers_per_frame"] = round(self.layers / self.frames, 2)
        return told
