"""Text to speech: `text . language . level . prompt . response`."""

from __future__ import annotations

from vall_e.interfaces.task import Sample
from vall_e.model.sequence import Segment
from vall_e.tasks.layout import Spoken


class Tts(Spoken):
    """Speaks a text in the voice of the prompt; without a prompt, in an arbitrary voice."""

    name = "tts"

    def predicted(self, sample: Sample) -> Segment:
        return Segment("response", sample.response)
