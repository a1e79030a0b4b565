"""What a plugin with a codec may import besides `vall_e.plugin`. Nothing else here is stable."""

from vall_e_codecs.audio_check import checked
from vall_e_codecs.importing import imports
from vall_e_codecs.piecewise import Piecewise
from vall_e_codecs.weight_files import HubFile, RemoteFile, locate, locate_on_hub, read_tensors
from vall_e_codecs.whole_stream import WholeStream

__all__ = [
    "HubFile",
    "Piecewise",
    "RemoteFile",
    "WholeStream",
    "checked",
    "imports",
    "locate",
    "locate_on_hub",
    "read_tensors",
]
