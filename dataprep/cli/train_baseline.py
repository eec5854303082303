"""``dataprep train-baseline``."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dataprep.cli.plans import NO_PLAN_HELP, PLAN_HELP, plan_for
from dataprep.cli.shared import options
from dataprep.cli.shared.inputs import with_notes_said
from dataprep.cli.shared.listing import print_file, until_closed
from dataprep.cli.shared.options import argument, images, output, panel
from dataprep.cli.shared.outputs import refuse_among_images
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import InputError, OptionError, OverBudget
from dataprep.progress import Progress

if TYPE_CHECKING:
    from dataprep.baselines.training.settings import BaselineOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.baseline import Baseline, BaselinePaths
    from dataprep.schemas.split import Split

Format = Literal["table", "json"]
Compared = Literal["cleaned"]
Strategy = Literal["random", "tpe", "stepwise"]

_goal, _model, _hardware = panel("Goal"), panel("Model"), panel("Hardware")
_training = partial(panel("Training"), show_default=False)
_search, _evaluation = panel("Tuning and sanity checks"), panel("Evaluation")
#: Flags that are settings of the loop of the same name; without one, the regime's.
_SETTINGS = (
    "epochs",
    "batch",
    "lr",
    "optimiser",
    "weight_decay",
    "dropout",
    "class_weights",
    "sampler",
    "focal",
    "precision",
    "patience",
    "accumulate",
    "clip",
    "seed",
)
#: Flags that are options of `dataprep.baselines.training.settings.BaselineOptions` of the same
#: name.
_OPTIONS = (
    "metric",
    "target",
    "positive",
    "beta",
    "regime",
    "arch",
    "size",
    "policy",
    "tune",
    "tune_strategy",
    "device",
    "workers",
    "threads",
    "final",
    "seeds",
    "out_of_fold",
)


def train_baseline(
    ctx: typer.Context,
    path: Annotated[
        str, argument("Folder, URL or manifest to audit and split first; without it, OUT/split.")
    ] = "",
    plan: Annotated[str, images(PLAN_HELP, "--plan", show_default=False)] = "",
    no_plan: Annotated[bool, images(NO_PLAN_HELP, "--no-plan")] = False,
    metric: Annotated[
        str, _goal("Metric to optimise: accuracy, macro-f1, mcc, pr-auc, mae, ...")
    ] = "auto",
    require: Annotated[
        list[str] | None, _goal("Requirement: latency_ms<=5, recall\\[sick]>=0.95; repeatable.")
    ] = None,
    target: Annotated[
        float | None, _goal("Value of the metric to reach.", show_default=False)
    ] = None,
    positive: Annotated[str, _goal("The positive class of two; default: the rarer one.")] = "",
    beta: Annotated[float, _goal("Weight of recall in F-beta.")] = 1.0,
    regime: Annotated[str, _model("auto, frozen, fine-tune or scratch.")] = "auto",
    arch: Annotated[str, _model("auto, lite0, resnet18 or timm:NAME.")] = "auto",
    size: Annotated[int, _model("Image size in pixels; 0 chooses one.")] = 0,
    policy: Annotated[
        str, _model("Augmentation: auto, none, a policy's name, or a .yaml file.")
    ] = "auto",
    device: Annotated[str, _hardware("auto, cpu, cuda or cuda:N.")] = "auto",
    workers: Annotated[
        int, _hardware("Augmentation processes; -1: none on a CPU, 8 with a GPU.")
    ] = -1,
    threads: Annotated[int, _hardware("torch threads; 0 uses every core.", min=0)] = 0,
    epochs: Annotated[int | None, _training("Most epochs.")] = None,
    batch: Annotated[int | None, _training("Batch size.")] = None,
    lr: Annotated[float | None, _training("Learning rate.")] = None,
    optimiser: Annotated[str | None, _training("adamw or sgd.")] = None,
    weight_decay: Annotated[float | None, _training("Weight decay.")] = None,
    dropout: Annotated[float | None, _training("Dropout before the last layer.")] = None,
    class_weights: Annotated[
        str | None, _training("Class weights: inverse, effective or none.")
    ] = None,
    sampler: Annotated[
        str | None, _training("plain, or balanced: every class equally often.")
    ] = None,
    focal: Annotated[float | None, _training("Gamma of the focal loss; 0: cross-entropy.")] = None,
    precision: Annotated[str | None, _training("fp32, bf16 or fp16.")] = None,
    patience: Annotated[
        int | None, _training("Early stopping: epochs without improvement; 0: never.")
    ] = None,
    accumulate: Annotated[int | None, _training("Gradient accumulation steps.")] = None,
    clip: Annotated[float | None, _training("Largest gradient norm.")] = None,
    setting: Annotated[
        list[str] | None, _training("Any other setting: train.KEY=VALUE; repeatable.", "--set")
    ] = None,
    seed: Annotated[int | None, _training("Random seed; default: 0.")] = None,
    tune: Annotated[int, _search("Hyperparameter trials, evaluated on val.", min=0)] = 0,
    tune_strategy: Annotated[
        Strategy, _search("Search strategy: tpe, random, or stepwise.")
    ] = "tpe",
    no_sanity: Annotated[
        bool, _search("Skip the sanity checks before training.", "--no-sanity")
    ] = False,
    no_test: Annotated[bool, _evaluation("Do not use the test set.", "--no-test")] = False,
    budget: Annotated[
        str, _model("Longest training: 90s, 5m, 1h; beyond it, the frozen model stays.")
    ] = "",
    final: Annotated[
        bool, _evaluation("Then train on train and val, for test and for use.", "--final")
    ] = False,
    out_of_fold: Annotated[
        int,
        _evaluation(
            "Folds of out-of-fold predictions, for dataprep audit --probs; 0: none.", min=0
        ),
    ] = 0,
    compare: Annotated[
        Compared | None,
        _evaluation("cleaned: does cleaning the training set help?", show_default=False),
    ] = None,
    seeds: Annotated[int, _evaluation("Trainings of each side of --compare.", min=2)] = 5,
    resume: Annotated[bool, output("Continue from the last checkpoint.", "--resume")] = False,
    out: Annotated[
        str, output("Folder for results; the baseline goes to OUT/baseline.")
    ] = "dataprep-out",
    format: Annotated[Format, output("What to print on stdout.")] = "table",
    quiet: options.Quiet = False,
) -> None:
    """Train a baseline on a split, evaluate it once on test, and say what to do next.

    Results go to OUT/baseline: baseline.html, metrics.json, predictions.parquet, the model and
    run.json. Several processes: torchrun --nproc-per-node N -m dataprep train-baseline ...
    """
    from dataprep.backends.warm import warm_workers
    from dataprep.baselines.training.distributed import process_group

    flags = ctx.params
    refuse_among_images(flags, "audit", "split", "baseline")
    if plan and not (path or compare):
        raise OptionError(
            "--plan goes with images, for the split that is made of them, or with --compare: "
            "dataprep split --plan"
        )
    with process_group(device) as rank, warm_workers():
        with progress_bar(quiet or rank > 0) as progress:
            split, audit = _source(flags, rank, progress)
            made, paths = _made(flags, split, audit, rank, progress)
        if paths is not None:
            _print(made, paths, format, quiet)


def _made(
    flags: Mapping[str, Any], split: Split, audit: Audit | None, rank: int, progress: Progress
) -> tuple[Baseline, BaselinePaths | None]:
    """The baseline and, in the first process, its files: first of a frozen model, where more is
    expected of a longer training, and then of the better one on validation.
    """
    from dataprep.baselines.frozen_first import comes_first, described, is_better
    from dataprep.baselines.training.distributed import rank_and_world_size
    from dataprep.baselines.training.fitting import demand_torch
    from dataprep.splits.proof.test_set_log import TestSetReused

    options, settings = _options(flags)
    alone = rank_and_world_size()[1] == 1 and not flags["resume"]
    if not (alone and comes_first(split, options, settings)):
        made = _trained(flags, options, settings, split, audit, progress)
        return made, _kept(made, split, audit, flags["out"]) if rank == 0 else None
    frozen = replace(options, regime="frozen")
    first = _trained(flags, frozen, settings, split, audit, progress)
    paths = _kept(first, split, audit, flags["out"])
    _say(flags, f"the {described(first)} is in {paths.folder}; Ctrl-C keeps it")
    try:
        demand_torch()
    except InputError as error:
        _say(flags, f"the frozen model stays: {error}")
        return first, paths
    try:
        second = _trained(flags, options, settings, split, audit, progress)
    except OverBudget as error:
        _say(flags, f"the frozen model stays: {error}")
        return first, paths
    except KeyboardInterrupt:
        typer.echo(f"dataprep: the {described(first)} stays in {paths.folder}", err=True)
        raise
    if not is_better(second, first):
        _say(flags, f"the {described(second)} is no better: the frozen model stays")
        return first, paths
    with warnings.catch_warnings():  # both uses of test are of this run, and both are logged
        warnings.simplefilter("ignore", TestSetReused)
        return second, _kept(second, split, audit, flags["out"])


def _say(flags: Mapping[str, Any], text: str) -> None:
    if not flags["quiet"]:
        typer.echo(f"dataprep: {text}", err=True)


def _options(flags: Mapping[str, Any]) -> tuple[BaselineOptions, dict[str, Any]]:
    """The options, and the settings of the loop that were given."""
    from dataprep.baselines.training.settings import BaselineOptions, parse_settings

    given = {name: flags[name] for name in _SETTINGS if flags[name] is not None}
    options = BaselineOptions(
        require=tuple(flags["require"] or ()),
        evaluate_test=not flags["no_test"],
        sanity=not flags["no_sanity"],
        compare=flags["compare"] or "",
        budget=_seconds(flags["budget"]),
        **{name: flags[name] for name in _OPTIONS},
    )
    return options, given | parse_settings(flags["setting"] or ())


def _seconds(text: str) -> float:
    """Seconds of ``30s``, ``5m``, ``1.5h`` or a number of seconds; 0 of nothing."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    if unit.isdigit():
        number, unit = text.strip(), "s"
    try:
        return float(number) * {"s": 1, "m": 60, "h": 3600}[unit] if text.strip() else 0.0
    except (ValueError, KeyError):
        raise OptionError(f"--budget: expected 90s, 5m or 1h, got {text!r}") from None


def _trained(
    flags: Mapping[str, Any],
    options: BaselineOptions,
    settings: Mapping[str, Any],
    split: Split,
    audit: Audit | None,
    progress: Progress,
) -> Baseline:
    from dataprep.baselines.recipe import train_baseline as train

    folder = os.path.join(flags["out"], "baseline")
    try:
        return train(
            split,
            folder,
            options,
            settings=settings,
            audit=audit,
            plan=_plan(audit, flags),
            resume=flags["resume"],
            progress=progress,
            say=partial(_say, flags),
        )
    except KeyboardInterrupt:
        _tell_resume(folder)
        raise


def _kept(made: Baseline, split: Split, audit: Audit | None, out: str) -> BaselinePaths:
    """The files of a baseline, written after its looks at test are in the ledger."""
    from dataprep.baselines.evaluation.test_access import record_test_use
    from dataprep.baselines.storing import write_baseline

    record_test_use(made, os.path.join(out, "split"), split)
    return write_baseline(made, os.path.join(out, "baseline"), audit=audit)


def _source(flags: Mapping[str, Any], rank: int, progress: Progress) -> tuple[Split, Audit | None]:
    """The split in OUT/split with its audit; with a path, both are made where they are missing,
    by the first process.
    """
    from dataprep.baselines.sources import last_split
    from dataprep.baselines.training.distributed import barrier

    if flags["path"]:
        if rank == 0:
            _make_missing(flags, progress)
        barrier()
    split, audit, note = last_split(flags["out"])
    for line in (note, _older_than_plan(flags, split, audit)):
        if line and rank == 0:
            typer.echo(f"dataprep: {line}", err=True)
    return split, audit


def _older_than_plan(flags: Mapping[str, Any], split: Split, audit: Audit | None) -> str:
    """A line where the split was made without the plan that has been applied since, "" where
    not.
    """
    from dataprep.cleaning import read_applied
    from dataprep.cleaning.applied import not_in_force
    from dataprep.schemas.plan import difference

    applied = (
        None
        if flags["no_plan"] or flags["compare"]
        else read_applied(os.path.join(flags["out"], "clean"))
    )
    if applied is None or audit is None or difference(applied.plan.data, audit.dataset):
        return ""
    words = not_in_force(applied.plan, split.dataset)
    return (
        (
            f"the split was made without the plan that was applied ({words}): dataprep split makes "
            "it "
            "anew"
        )
        if words
        else ""
    )


def _make_missing(flags: Mapping[str, Any], progress: Progress) -> None:
    from dataprep.baselines.sources import split_into
    from dataprep.cli.split import audit_for
    from dataprep.ingest import scan

    progress("scan", 0, 0, "")
    audits, splits = os.path.join(flags["out"], "audit"), os.path.join(flags["out"], "split")
    audit = audit_for(
        audits, with_notes_said(scan(flags["path"])), None, progress, {"path": flags["path"]}
    )
    plan = plan_for(audit, flags["out"], flags["plan"], flags["no_plan"])
    _, is_new = split_into(splits, audit, plan, progress)
    if flags["plan"] and not is_new and not flags["compare"]:
        raise OptionError(
            f"--plan: the split in {splits} is there already: dataprep split --plan makes it anew"
        )
    typer.echo(
        f"dataprep: {'divided, proof in' if is_new else 'going on from the split in'} {splits}",
        err=True,
    )


def _tell_resume(folder: str) -> None:
    from dataprep.schemas.baseline import CHECKPOINT

    if os.path.exists(os.path.join(folder, CHECKPOINT)):
        typer.echo(
            f"dataprep: the last whole epoch is kept in {folder}: go on with the same command and "
            "--resume",
            err=True,
        )


def _plan(audit: Audit | None, flags: Mapping[str, Any]) -> Any:
    """What cleaning would do, for --compare: the plan that is named, else the one that was
    applied.
    """
    if not flags["compare"]:
        return None
    if audit is None:
        raise OptionError(
            "--compare cleaned needs the audit that the split was made from: dataprep audit PATH, "
            "dataprep split"
        )
    plan = plan_for(audit, flags["out"], flags["plan"], flags["no_plan"])
    if plan is None:
        raise OptionError(
            "--compare cleaned needs a plan: dataprep clean --relabel (or what else is to be "
            "judged), then --plan"
        )
    return plan


def _print(made: Baseline, paths: BaselinePaths, format: Format, quiet: bool) -> None:
    from dataprep.baselines.pages.console import print_baseline
    from dataprep.schemas.baseline import METRICS

    with until_closed():
        if format == "json":
            print_file(paths[METRICS])
        else:
            print_baseline(made, paths, verdict_only=quiet)
