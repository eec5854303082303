"""The training loop, whole on this page: epochs of forward, backward, step; score, keep the
best, save, stop early.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn

from dataprep.baselines.training.checkpoints import read_checkpoint, write_checkpoint
from dataprep.baselines.training.distributed import (
    Gradients,
    is_rank_zero,
    rank_and_world_size,
    run_on_rank_zero,
    sum_over_ranks,
)
from dataprep.baselines.training.feeding import Batch
from dataprep.baselines.training.history import FitResult, Log
from dataprep.baselines.training.networks import Network
from dataprep.baselines.training.settings import TrainSettings
from dataprep.errors import WorkError

#: Called after every step: (epoch, step, steps of the epoch, figures).
Report = Callable[[int, int, int, Mapping[str, float]], None]


def fit(
    network: Network,
    batches: Callable[[int], Iterator[Batch]],
    steps: int,
    loss: nn.Module,
    score: Callable[[Network], Mapping[str, float]] | None,
    settings: TrainSettings,
    *,
    checkpoint: str = "",
    resume: bool = False,
    key: str = "",
    report: Report | None = None,
    log: Log | None = None,
) -> FitResult:
    """Train `network`; it ends with the weights of its best epoch.

    Args:
        network: on the device that it is to be trained on.
        batches: epoch to its batches of uint8 images (B, 3, H, W) and targets.
        steps: batches in an epoch.
        loss: logits and targets to a number.
        score: network, in evaluation mode, to figures of the validation samples; "score" is the one
            to raise. None judges nothing and keeps the last epoch.
        settings: how to train.
        checkpoint: file that is written after every epoch; "" for none.
        resume: go on from `checkpoint` where there is one.
        key: what the checkpoint must have been made with; another one is refused.
        report: called after every step.
        log: called after every epoch with the figures of all epochs so far.

    Raises:
        WorkError: the loss is no longer finite.
        FingerprintError: the checkpoint belongs to another run.
        OutputError: the checkpoint cannot be written.
    """
    device = next(network.parameters()).device
    optimiser = make_optimiser(network, settings)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, learning_rate_schedule(settings, math.ceil(steps / settings.accumulate))
    )
    scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16")
    fitted, best = FitResult(), weights_of(network)
    parts = {"network": network, "optimiser": optimiser, "schedule": schedule, "scaler": scaler}
    if resume and os.path.exists(checkpoint):
        fitted, best = read_checkpoint(checkpoint, parts, key)
    gradients = Gradients(
        network, loss, lambda: autocast(settings.precision, device.type), settings.batch
    )
    rank = rank_and_world_size()[0]
    for epoch in range(len(fitted.history), settings.epochs):
        if epoch - fitted.best_epoch > settings.patience > 0 and fitted.history:
            break
        started, total, seen = time.perf_counter(), torch.zeros(2, device=device), 0
        network.train()
        torch.manual_seed(
            settings.seed * 100_003 + epoch + rank * 7_919
        )  # dropout: a resumed run goes on bit for bit
        with gradients.running(batches(epoch)) as (fed, backward):
            for step, (images, targets) in enumerate(fed, start=1):
                images = images.to(device, non_blocking=True)  # (B, 3, H, W) uint8
                targets = targets.to(device, non_blocking=True)  # (B, ...)
                value = backward(
                    images, targets, lambda value: scaler.scale(value / settings.accumulate)
                )
                if step % settings.accumulate == 0 or step == steps:
                    scaler.unscale_(optimiser)
                    nn.utils.clip_grad_norm_(network.parameters(), settings.greatest_norm)
                    scaler.step(optimiser)
                    scaler.update()
                    optimiser.zero_grad(set_to_none=True)
                    schedule.step()
                seen += len(images)
                total += torch.stack([value * len(images), torch.full_like(value, len(images))])
                if report is not None:
                    report(
                        epoch,
                        step,
                        steps,
                        {
                            "images": seen,
                            "seconds": time.perf_counter() - started,
                            "best": fitted.best_score,
                        },
                    )
        lost, count = sum_over_ranks(total).tolist()
        check_finite(lost, epoch)
        figures: dict[str, float] = {"epoch": epoch, "train_loss": lost / max(count, 1)}
        figures["lr"] = float(schedule.get_last_lr()[-1])
        figures["images_per_s"] = count / (time.perf_counter() - started)
        figures |= (
            {"score": float(epoch)}
            if score is None
            else run_on_rank_zero(lambda: evaluate(network, score))
        )
        fitted.history.append(figures)
        if log is not None and rank == 0:
            log(fitted.history)
        if figures["score"] > fitted.best_score:
            fitted.best_epoch, fitted.best_score = epoch, figures["score"]
            best = weights_of(network)
        if checkpoint and is_rank_zero():
            write_checkpoint(checkpoint, parts, fitted, best, key)
    network.load_state_dict(best)
    return fitted


def weights_of(network: Network) -> dict[str, torch.Tensor]:
    """A copy of all weights and running statistics."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def evaluate(
    network: Network, score: Callable[[Network], Mapping[str, float]]
) -> Mapping[str, float]:
    """The figures of `score`, in evaluation mode and without gradients."""
    network.eval()
    with torch.inference_mode():
        return score(network)


def make_optimiser(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019) or SGD with Nesterov's momentum; the classifier learns
    faster than a pretrained body.

    Weight decay is for matrices and kernels alone, not for biases and norms.
    """
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(("classifier" in name, parameter.ndim > 1), []).append(parameter)
    options = [
        {
            "params": parameters,
            "lr": settings.lr * (1 if head else settings.body_lr),
            "weight_decay": settings.weight_decay if decays else 0.0,
        }
        for (head, decays), parameters in groups.items()
    ]
    if settings.optimiser == "sgd":
        return torch.optim.SGD(options, lr=settings.lr, momentum=0.9, nesterov=True)
    fused = settings.precision != "fp16"  # one pass over the weights instead of ten
    return torch.optim.AdamW(options, lr=settings.lr, fused=fused)


def learning_rate_schedule(settings: TrainSettings, steps: int) -> Callable[[int], float]:
    """Step to the share of the learning rate: a linear start, then half a cosine down to 0
    (Loshchilov & Hutter 2017).
    """
    whole, start = settings.epochs * steps, max(1, round(settings.warmup_epochs * steps))

    def share(step: int) -> float:
        if step < start:
            return (step + 1) / start
        if settings.schedule == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - start) / max(1, whole - start))))

    return share


def autocast(precision: str, device: str) -> Any:
    """Automatic autocast precision, where it is asked for."""
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    return torch.autocast(device, kinds[precision]) if precision in kinds else nullcontext()


def check_finite(total: float, epoch: int) -> None:
    """Stop where the loss of an epoch is not finite."""
    if not math.isfinite(total):
        raise WorkError(
            f"the training loss is no longer finite in epoch {epoch + 1}: take a smaller --lr, or "
            "--precision fp32; "
            "the last good weights are in the checkpoint"
        )
