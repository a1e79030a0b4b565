"""What a codec plugin may import besides `vall_e.plugin`. Nothing else here is stable."""

from vall_e_codecs.audio_check import checked
from vall_e_codecs.frame_listener import FrameListener
from vall_e_codecs.importing import imports
from vall_e_codecs.nothing import no_codes, no_sound
from vall_e_codecs.piecewise import Piecewise
from vall_e_codecs.weight_files import (
    HubFile,
    RemoteFile,
    digest_of,
    locate,
    locate_on_hub,
    read_tensors,
    require_shapes,
)
from vall_e_codecs.whole_stream import WholeStream

__all__ = [
    "FrameListener",
    "HubFile",
    "Piecewise",
    "RemoteFile",
    "WholeStream",
    "checked",
    "digest_of",
    "imports",
    "locate",
    "locate_on_hub",
    "no_codes",
    "no_sound",
    "read_tensors",
    "require_shapes",
]
