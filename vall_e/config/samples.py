"""Options of the speech that a run makes with each validation. Torch-free."""

from __future__ import annotations

from attrs import field, frozen

from vall_e.config.field_metadata import path
from vall_e.config.validators import not_negative


@frozen
class SamplesConfig:
    """Speech with each validation, to listen to and to judge; in OUTPUT/samples/step-N."""

    count: int = field(default=0, validator=not_negative)
    """How many utterances of the held-out data, and of the training data, are spoken; 0: none.
    Each is spoken after a prompt of the same speaker, and compared with the recording."""
    texts: str = field(default="", metadata=path())
    """A file of sentences, one on each line, of which the first `count` are spoken as well, after
    prompts from the held-out data."""
    judged: bool = True
    """Judge them by all judges that work here, as `vall-e eval` does."""
