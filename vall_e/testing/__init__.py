"""Contracts that every component must pass, and small fakes to test with."""

from vall_e.testing.attention import AttentionContract
from vall_e.testing.backbone import BackboneContract
from vall_e.testing.codec import CodecContract
from vall_e.testing.command import CommandContract
from vall_e.testing.component import ComponentContract
from vall_e.testing.data_engine import DataEngineContract
from vall_e.testing.embedder import EmbedderContract
from vall_e.testing.engine import EngineContract
from vall_e.testing.exporter import ExporterContract
from vall_e.testing.judge import JudgeContract
from vall_e.testing.layered import LayeredContract
from vall_e.testing.optimizer import OptimizerContract
from vall_e.testing.phonemizer import PhonemizerContract
from vall_e.testing.pretrained import ModelContract
from vall_e.testing.sampler import SamplerContract
from vall_e.testing.schedule import ScheduleContract
from vall_e.testing.staircase import StaircaseCodec
from vall_e.testing.store import StoreContract
from vall_e.testing.task import TaskContract
from vall_e.testing.tiny import tiny_bundle, tiny_config
from vall_e.testing.transcriber import TranscriberContract
from vall_e.testing.trials import contract_of
from vall_e.testing.wrapper import WrapperContract

__all__ = [
    "AttentionContract",
    "BackboneContract",
    "CodecContract",
    "CommandContract",
    "ComponentContract",
    "DataEngineContract",
    "EmbedderContract",
    "EngineContract",
    "ExporterContract",
    "JudgeContract",
    "LayeredContract",
    "ModelContract",
    "OptimizerContract",
    "PhonemizerContract",
    "SamplerContract",
    "ScheduleContract",
    "StaircaseCodec",
    "StoreContract",
    "TaskContract",
    "TranscriberContract",
    "WrapperContract",
    "contract_of",
    "tiny_bundle",
    "tiny_config",
]
