"""What was saved by running fewer layers than there are."""

from __future__ import annotations

from attrs import define


@define
class Effort:
    """Of one sentence; counted while it is written. Nothing is counted where all layers run."""

    drafted: int = 0
    """Frames that the first layers drafted, by themselves, and all layers checked."""
    accepted: int = 0
    """Those of them that were written."""
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
