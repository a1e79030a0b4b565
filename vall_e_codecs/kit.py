"""What a codec plugin may import besides `vall_e.plugin`. Nothing else here is stable."""

from vall_e_codecs.audio_check import checked
from vall_e_codecs.buffered_stream import WholeStream
from vall_e_codecs.empty_input import no_codes, no_sound
from vall_e_codecs.package_check import imports
from vall_e_codecs.streaming_encoder import FrameListener
from vall_e_codecs.streaming_network import Piecewise
from vall_e_codecs.weight_files import (
    HubFile,
    RemoteFile,
    digest_of,
    locate,
    locate_on_hub,
    read_tensors,
    require_shapes,
)
from vall_e_codecs.whole_frames import whole_frames

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
    "whole_frames",
]
