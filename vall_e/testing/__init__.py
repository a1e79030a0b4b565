"""Contracts that every component must satisfy, and small fakes for tests."""

from vall_e.testing.contracts.any_component import contract_of, contract_tests
from vall_e.testing.contracts.attention import AttentionContract
from vall_e.testing.contracts.audio_effect import AudioEffectContract
from vall_e.testing.contracts.backbone import BackboneContract
from vall_e.testing.contracts.codec import CodecContract
from vall_e.testing.contracts.command import CommandContract
from vall_e.testing.contracts.component import ComponentContract
from vall_e.testing.contracts.data_engine import DataEngineContract
from vall_e.testing.contracts.embedder import EmbedderContract
from vall_e.testing.contracts.engine import EngineContract
from vall_e.testing.contracts.exporter import ExporterContract
from vall_e.testing.contracts.judge import JudgeContract
from vall_e.testing.contracts.layered import LayeredContract
from vall_e.testing.contracts.normalizer import NormalizerContract
from vall_e.testing.contracts.optimizer import OptimizerContract
from vall_e.testing.contracts.phonemizer import PhonemizerContract
from vall_e.testing.contracts.pretrained import ModelContract
from vall_e.testing.contracts.sampler import SamplerContract
from vall_e.testing.contracts.schedule import ScheduleContract
from vall_e.testing.contracts.store import StoreContract
from vall_e.testing.contracts.strategy import StrategyContract
from vall_e.testing.contracts.task import TaskContract
from vall_e.testing.contracts.tracker import TrackerContract
from vall_e.testing.contracts.transcriber import TranscriberContract
from vall_e.testing.contracts.wrapper import WrapperContract
from vall_e.testing.fakes.staircase_codec import StaircaseCodec
from vall_e.testing.fakes.tiny_model import tiny_bundle, tiny_config

__all__ = [
    "AttentionContract",
    "AudioEffectContract",
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
    "NormalizerContract",
    "OptimizerContract",
    "PhonemizerContract",
    "SamplerContract",
    "ScheduleContract",
    "StaircaseCodec",
    "StoreContract",
    "StrategyContract",
    "TaskContract",
    "TrackerContract",
    "TranscriberContract",
    "WrapperContract",
    "contract_of",
    "contract_tests",
    "tiny_bundle",
    "tiny_config",
]
