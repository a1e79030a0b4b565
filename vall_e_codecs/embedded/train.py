"""Train the vocoder on fixed codebooks."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from attrs import asdict, evolve, field, frozen, validators
from jaxtyping import Float
from torch import Tensor

from vall_e.plugin import TrainingError
from vall_e_codecs.embedded import checkpoint, weights
from vall_e_codecs.embedded.adversary import Adversary
from vall_e_codecs.embedded.analysis import Analysis
from vall_e_codecs.embedded.bandwidth import fill_above
from vall_e_codecs.embedded.batches import CropSettings, draw_crops, draw_levels
from vall_e_codecs.embedded.losses import SpectralDistance
from vall_e_codecs.embedded.recordings import Recordings
from vall_e_codecs.embedded.vocoder import Vocoder, VocoderSettings
from vall_e_codecs.embedded.widen import settings_at, widened

log = logging.getLogger(__name__)
positive = validators.gt(0)

CodecMetrics = dict[str, float | int]
"""One line: the step, the seconds of training, and means since the last line."""


@frozen
class TrainSettings:
    """One training run. The schedule depends on time, since the machine may be shared."""

    minutes: float = field(default=100.0, validator=validators.gt(0.0))
    """Training time, including before resuming; the learning rate falls to zero within it."""
    learning_rate: float = field(default=8e-4, validator=validators.gt(0.0))
    warm_up: float = field(default=0.02, validator=validators.gt(0.0))
    """Share of the time in which the learning rate rises."""
    averaging: float = field(default=0.999, validator=validators.lt(1))
    """Decay of the weights' running average, which is what is exported."""
    clip_norm: float = field(default=1.0, validator=validators.gt(0.0))
    save_seconds: float = field(default=180.0, validator=validators.gt(0.0))
    """Training time between checkpoints."""
    report_steps: int = field(default=50, validator=positive)
    """Steps between lines of metrics."""
    adversary_channels: int = field(default=0, validator=validators.ge(0))
    """Width of the discriminators; 0 trains without them, 8 doubles the time of a step on a CPU."""
    distance_weight: float = field(default=15.0, validator=validators.gt(0.0))
    """Weight of the spectral distance; the discriminators' losses have 1 and 2."""
    adversary_warm_up: int = field(default=0, validator=validators.ge(0))
    """Steps that train only the discriminators, before they affect the vocoder."""
    seed: int = 0
    crops: CropSettings = field(factory=CropSettings)


class Trainer:
    """State of a run: the content of a checkpoint."""

    def __init__(
        self, codec: weights.CodecWeights, vocoder: VocoderSettings, settings: TrainSettings
    ) -> None:
        self.settings = settings
        self.codec = codec
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        self.vocoder = Vocoder(vocoder).to(self.device)
        self.average = copy.deepcopy(self.vocoder).requires_grad_(requires_grad=False)
        self.optimizer = _optimizer(self.vocoder)
        self.adversary: Adversary | None = None
        if settings.adversary_channels:
            self.adversary = Adversary(settings.adversary_channels).to(self.device)
            self.adversary_optimizer = _optimizer(self.adversary)
        self.rng = np.random.default_rng(settings.seed)
        self.steps = 0
        self.seconds = 0.0
        self.hop = vocoder.hop
        self.sample_rate = codec.analysis.sample_rate * vocoder.hop // codec.analysis.hop
        self._analysis = Analysis(codec.analysis, self.sample_rate).to(self.device)
        self._quantizer = codec.quantizer.to(self.device)
        # the whole band counts, also what the analysis does not look at
        whole = codec.analysis.at(self.sample_rate)
        self._distance = SpectralDistance(whole).to(self.device)

    def run(
        self,
        sources: Sequence[Recordings],
        folder: Path,
        report: Callable[[CodecMetrics], None],
    ) -> None:
        """Train until the time is up. `folder` always holds a checkpoint and a usable codec."""
        saved, lines = self.seconds, list[dict[str, float]]()
        while self.seconds < self.settings.minutes * 60:
            begun = time.monotonic()
            lines.append(self.step(sources))
            self.seconds += time.monotonic() - begun
            if self.steps % self.settings.report_steps == 0:
                report({"step": self.steps, "seconds": round(self.seconds, 1), **_mean(lines)})
                lines = []
            if self.seconds - saved >= self.settings.save_seconds:
                saved = self.seconds
                self.save(folder)
        self.save(folder)

    def step(self, sources: Sequence[Recordings]) -> dict[str, float]:
        """One update; returns its metrics."""
        settings, hop = self.settings, self.hop
        drawn = draw_crops(sources, settings.crops, hop, self.rng)
        crops, bandwidths = drawn.audio.to(self.device), drawn.bandwidths.to(self.device)
        levels = draw_levels(len(self._quantizer.codebooks), len(crops), self.rng)
        made = self.vocoder(self._vectors(crops, levels))
        target = fill_above(crops[:, hop:-hop], made, bandwidths, self.sample_rate)
        rate = settings.learning_rate * self._factor()
        metrics = {"rate": rate} | self._train_adversary(made, target, rate)
        metrics |= self._backward(made, target)
        metrics["gradient"] = self._update(self.vocoder, self.optimizer, rate)
        self.steps += 1
        self._update_average()
        return metrics

    def start_from(self, start: weights.CodecWeights) -> None:
        """Load the vocoder of another run, of the same sizes; its sample rate may be lower."""
        sizes = self.vocoder.settings
        begun = VocoderSettings(**start.vocoder_settings)  # type: ignore[arg-type]
        if settings_at(begun, sizes.hop) != sizes or begun.hop > sizes.hop:
            raise TrainingError(
                f"the vocoder to start from has sizes {dict(start.vocoder_settings)}, "
                f"this run {asdict(sizes)}",
                hint="set the sizes of that vocoder",
            )
        found = dict(start.vocoder)
        if begun.hop < sizes.hop:
            found = widened(found, begun, sizes)
        self.vocoder.load_state_dict(found)
        self.average.load_state_dict(found)

    def save(self, folder: Path) -> None:
        """Write `checkpoint.safetensors`, for resuming, and `codec.safetensors`, for use."""
        checkpoint.save(
            folder / "checkpoint.safetensors",
            modules=self._modules(),
            optimizers=self._optimizers(),
            progress={
                "steps": self.steps,
                "seconds": self.seconds,
                "rng": self.rng.bit_generator.state,
                "identity": self.codec.identity,
            },
        )
        weights.save(
            evolve(
                self.codec,
                vocoder=self.average.state_dict(),
                vocoder_settings=asdict(self.vocoder.settings),
            ),
            folder / "codec.safetensors",
        )

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint with the same codebooks and sizes."""
        progress = checkpoint.load(
            path,
            modules=self._modules(),
            optimizers=self._optimizers(),
        )
        if progress["identity"] != self.codec.identity:
            raise TrainingError(
                f"{path} was trained on the codebooks {progress['identity']}, "
                f"these are {self.codec.identity}",
                hint="use the codebooks of that run, or another output folder",
            )
        self.steps, self.seconds = int(progress["steps"]), float(progress["seconds"])
        self.rng.bit_generator.state = progress["rng"]

    def _modules(self) -> dict[str, torch.nn.Module]:
        modules: dict[str, torch.nn.Module] = {"vocoder": self.vocoder, "average": self.average}
        return modules | ({} if self.adversary is None else {"adversary": self.adversary})

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        found: dict[str, torch.optim.Optimizer] = {"optimizer": self.optimizer}
        if self.adversary is not None:
            found["adversary_optimizer"] = self.adversary_optimizer
        return found

    def _train_adversary(
        self, made: Float[Tensor, "b s"], target: Float[Tensor, "b s"], rate: float
    ) -> dict[str, float]:
        if self.adversary is None:
            return {}
        self.adversary.requires_grad_(requires_grad=True)
        loss = self.adversary.own_loss(made, target)
        torch.autograd.backward(loss)
        self._update(self.adversary, self.adversary_optimizer, rate)
        self.adversary.requires_grad_(requires_grad=False)
        return {"adversary": loss.item()}

    def _backward(
        self, made: Float[Tensor, "b s"], target: Float[Tensor, "b s"]
    ) -> dict[str, float]:
        distance = self._distance(made, target)
        metrics = {
            "loss": distance.total.item(),
            "convergence": distance.convergence.item(),
            "magnitude": distance.magnitude.item(),
            "mel": distance.mel.item(),
        }
        loss: Tensor = distance.total
        if self.adversary is not None and self.steps >= self.settings.adversary_warm_up:
            verdict = self.adversary.verdict(made, target)
            loss = self.settings.distance_weight * loss + verdict.deceit + 2 * verdict.features
            metrics |= {"deceit": verdict.deceit.item(), "features": verdict.features.item()}
        torch.autograd.backward(loss)
        return metrics

    def _update(
        self, module: torch.nn.Module, optimizer: torch.optim.Optimizer, rate: float
    ) -> float:
        norm = torch.nn.utils.clip_grad_norm_(module.parameters(), self.settings.clip_norm)
        if not bool(norm.isfinite()):
            raise TrainingError(
                f"the gradient of step {self.steps} is not finite",
                hint="resume from the last checkpoint with a lower --learning-rate",
            )
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        return norm.item()

    @torch.no_grad()
    def _vectors(self, crops: Float[Tensor, "b s"], levels: list[int]) -> Float[Tensor, "b f d"]:
        codes = self._quantizer.encode(self._analysis(crops))[:, :, 1:-1]
        return torch.cat(
            [self._quantizer.decode(row[None, :n]) for row, n in zip(codes, levels, strict=True)]
        )

    def _factor(self) -> float:
        done = min(1.0, self.seconds / (self.settings.minutes * 60))
        if done < self.settings.warm_up:
            return max(done / self.settings.warm_up, 1e-3)
        left = (done - self.settings.warm_up) / (1 - self.settings.warm_up)
        return 0.5 * (1 + math.cos(math.pi * left))

    def _update_average(self) -> None:
        decay = min(self.settings.averaging, self.steps / (self.steps + 10))
        for mean, now in zip(self.average.parameters(), self.vocoder.parameters(), strict=True):
            mean.lerp_(now.detach(), 1 - decay)


def _optimizer(module: torch.nn.Module) -> torch.optim.Optimizer:
    """Its learning rate is set at every step."""
    return torch.optim.AdamW(module.parameters(), lr=0.0, betas=(0.8, 0.99), weight_decay=0.01)


def append_json(path: Path, line: CodecMetrics) -> None:
    """Add one line of metrics."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _mean(lines: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: float(f"{sum(m[key] for m in lines) / len(lines):.4g}") for key in lines[0]}
