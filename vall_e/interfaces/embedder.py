"""What the core asks of a speaker embedder: similar voices give similar vectors. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vall_e.interfaces.judge import Sound


@runtime_checkable
class Embedder(Protocol):
    """Turns recordings into vectors of one size. Earlier inputs never affect later ones."""

    def __call__(self, clip: Sound) -> NDArray[np.float32] | None:
        """A unit vector (d,) for a clip of any rate and channels; None if it contains no speech."""
        ...
