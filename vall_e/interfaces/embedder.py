"""What the core asks of an embedder: recordings of one voice point in one direction. Torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vall_e.interfaces.judge import Sound


@runtime_checkable
class Embedder(Protocol):
    """Turns recordings into vectors of one width. What it heard before changes nothing."""

    def __call__(self, clip: Sound) -> NDArray[np.float32] | None:
        """A unit vector (d,) of a clip of any rate and channels; None where no speech is heard."""
        ...
