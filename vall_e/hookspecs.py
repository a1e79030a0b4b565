"""The whole plugin surface: one hook for each kind of component.

A hook returns *components* (`vall_e.registry.Component`): a name, a config class and
a `build` function. Importing a module that implements hooks must not import torch;
`build` does that, once the user has chosen the component.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vall_e.registry import Component

hookspec = pluggy.HookspecMarker("vall_e")
hookimpl = pluggy.HookimplMarker("vall_e")

HOOK_API = (1, 3)
"""Version of this file. Same major and a minor not newer than this one can be loaded."""


@hookspec
def vall_e_register_backbones() -> Iterable[Component[Any]]:
    """Offer backbones of the language model.

    `build(config, *, attention: AttentionKernel)` returns a `vall_e.plugin.Backbone`; one without
    attention ignores the kernel. Contract: `vall_e.testing.BackboneContract`.
    """
    return ()  # never run: pluggy only reads the signature


@hookspec
def vall_e_register_attentions() -> Iterable[Component[Any]]:
    """Offer attention kernels.

    `build(config)` returns a `vall_e.plugin.AttentionKernel`. Contract:
    `vall_e.testing.AttentionContract`.
    """
    return ()


@hookspec
def vall_e_register_codecs() -> Iterable[Component[Any]]:
    """Offer codecs that convert a waveform to residual codes and back.

    `build(config)` returns a `vall_e.plugin.Codec` in eval mode on the CPU. Contract:
    `vall_e.testing.CodecContract`.
    """
    return ()


@hookspec
def vall_e_register_samplers() -> Iterable[Component[Any]]:
    """Offer steps of the sampler chain: logits processors, or ways to draw.

    `build(config)` returns a new `vall_e.plugin.LogitsProcessor` or `vall_e.plugin.Draw` for every
    request. Contract: `vall_e.testing.SamplerContract`.
    """
    return ()


@hookspec
def vall_e_register_tasks() -> Iterable[Component[Any]]:
    """Offer tasks: sequence layout, training sample, target.

    `build(config)` returns a `vall_e.plugin.Task`. Contract: `vall_e.testing.TaskContract`.
    """
    return ()


@hookspec
def vall_e_register_optimizers() -> Iterable[Component[Any]]:
    """Offer optimizers.

    `build(config, *, parameters: Iterable[tuple[str, Parameter]])` returns a
    `torch.optim.Optimizer`. Contract: `vall_e.testing.OptimizerContract`.
    """
    return ()


@hookspec
def vall_e_register_schedules() -> Iterable[Component[Any]]:
    """Offer learning-rate schedules.

    `build(config, *, max_steps: int)` returns a function from the step to the factor that the
    optimizer's learning rate is multiplied with. Contract: `vall_e.testing.ScheduleContract`.
    """
    return ()


@hookspec
def vall_e_register_wrappers() -> Iterable[Component[Any]]:
    """Offer changes to the model before training or inference.

    `build(config)` returns a function `wrap(model: torch.nn.Module) -> torch.nn.Module` that keeps
    the keys of `state_dict`. Contract: `vall_e.testing.WrapperContract`.
    """
    return ()


@hookspec
def vall_e_register_normalizers() -> Iterable[Component[Any]]:
    """Offer text normalizers: numbers, dates and abbreviations in words. Since hook API 1.2.

    `build(config)` returns a `vall_e.plugin.Normalizer`, or raises `UnavailableError` where a
    package is missing. Contract: `vall_e.testing.NormalizerContract`.
    """
    return ()


@hookspec
def vall_e_register_phonemizers() -> Iterable[Component[Any]]:
    """Offer text front ends.

    `build(config)` returns a `vall_e.plugin.Phonemizer`. Contract:
    `vall_e.testing.PhonemizerContract`.
    """
    return ()


@hookspec
def vall_e_register_engines() -> Iterable[Component[Any]]:
    """Offer ways to run a training step: on one device, on several, with another library.

    `build(config)` returns a `vall_e.plugin.Engine`. Contract: `vall_e.testing.EngineContract`.
    """
    return ()


@hookspec
def vall_e_register_trackers() -> Iterable[Component[Any]]:
    """Offer experiment trackers, which report a training run. Since hook API 1.3.

    `build(config, *, run: TrackedRun)` returns a `vall_e.plugin.Tracker`. An option `every` of the
    config is the number of steps between two training metrics. Contract:
    `vall_e.testing.TrackerContract`.
    """
    return ()


@hookspec
def vall_e_register_exporters() -> Iterable[Component[Any]]:
    """Offer file formats for trained models.

    `build(config)` returns a `vall_e.plugin.Exporter`. Contract: `vall_e.testing.ExporterContract`.
    """
    return ()


@hookspec
def vall_e_register_models() -> Iterable[Component[Any]]:
    """Offer pretrained models that `-m NAME` finds.

    `build(config)` returns the `pathlib.Path` of a weights file on this machine, or raises
    `DownloadError`. Contract: `vall_e.testing.ModelContract`.
    """
    return ()


@hookspec
def vall_e_register_judges() -> Iterable[Component[Any]]:
    """Offer judges of speech, for `vall-e eval`.

    `build(config, *, case: Case)` returns a `vall_e.plugin.Judge`, or raises `UnavailableError`
    if a package is missing. Contract: `vall_e.testing.JudgeContract`.
    """
    return ()


@hookspec
def vall_e_register_transcribers() -> Iterable[Component[Any]]:
    """Offer speech recognizers, for `vall-e data transcribe`.

    `build(config, *, device: str)` returns a `vall_e.plugin.Transcriber`, or raises
    `UnavailableError` if a package is missing. Contract: `vall_e.testing.TranscriberContract`.
    """
    return ()


@hookspec
def vall_e_register_embedders() -> Iterable[Component[Any]]:
    """Offer speaker encoders, for `vall-e data similar --by voice`.

    `build(config)` returns a `vall_e.plugin.Embedder`, or raises `UnavailableError` where a package
    is missing. Contract: `vall_e.testing.EmbedderContract`.
    """
    return ()


@hookspec
def vall_e_register_stores() -> Iterable[Component[Any]]:
    """Offer storage formats for datasets.

    `build(config)` returns a `vall_e.plugin.Store`, or raises `UnavailableError` where a package
    is missing. Contract: `vall_e.testing.StoreContract`.
    """
    return ()


@hookspec
def vall_e_register_data_engines() -> Iterable[Component[Any]]:
    """Offer ways to prepare many recordings, for `vall-e data process --engine`.

    `build(config, *, workers: int)` returns a `vall_e.plugin.DataEngine`; with 0 workers the engine
    chooses. If a package is missing, its `run` raises `UnavailableError`. Contract:
    `vall_e.testing.DataEngineContract`.
    """
    return ()


@hookspec
def vall_e_register_strategies() -> Iterable[Component[Any]]:
    """Offer decoding strategies: how level 0 of sentences is written. Since hook API 1.3.

    `build(config, *, model: Valle)` returns a `vall_e.plugin.Strategy`. Contract:
    `vall_e.testing.StrategyContract`.
    """
    return ()


@hookspec
def vall_e_register_audio_effects() -> Iterable[Component[Any]]:
    """Offer effects on finished audio: a limiter, a watermark, a log. Since hook API 1.3.

    `build(config)` returns a `vall_e.plugin.AudioEffect`, or raises `UnavailableError` where a
    package is missing. Contract: `vall_e.testing.AudioEffectContract`.
    """
    return ()


@hookspec
def vall_e_register_commands() -> Iterable[Component[Any]]:
    """Offer commands under `vall-e`.

    `build(config)` returns a `click.Command`; its config class has no fields. Contract:
    `vall_e.testing.CommandContract`.
    """
    return ()
