"""``dataprep train-baseline``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dataprep.cli.plans import NO_PLAN_HELP, PLAN_HELP, plan_for
from dataprep.cli.shared.inputs import with_notes_said
from dataprep.cli.shared.listing import silence_stdout
from dataprep.cli.shared.outputs import refuse_among_images
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import InputError, OptionError
from dataprep.progress import Progress

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.baseline import Baseline, BaselinePaths
    from dataprep.schemas.split import Split

Format = Literal["table", "json"]
Compared = Literal["cleaned"]
Strategy = Literal["random", "tpe", "stepwise"]

_GOAL, _MODEL, _TRAINING, _SEARCH, _JUDGING, _OUTPUT = (
    "Goal",
    "Model",
    "Training",
    "Search",
    "Evaluation",
    "Output",
)
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
        str,
        typer.Argument(
            help="Folder, URL or manifest to audit and split first; without it, from OUT/split.",
            show_default=False,
        ),
    ] = "",
    plan: Annotated[str, typer.Option("--plan", help=PLAN_HELP, show_default=False)] = "",
    no_plan: Annotated[bool, typer.Option("--no-plan", help=NO_PLAN_HELP)] = False,
    metric: Annotated[
        str,
        typer.Option(
            help="Figure to optimise: accuracy, macro-f1, mcc, pr-auc, mae, ...",
            rich_help_panel=_GOAL,
        ),
    ] = "auto",
    require: Annotated[
        list[str] | None,
        typer.Option(
            help="Figure to reach: latency_ms<=5, recall\\[sick]>=0.95; may be repeated.",
            rich_help_panel=_GOAL,
        ),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            help="Value of the metric that is wished for.",
            rich_help_panel=_GOAL,
            show_default=False,
        ),
    ] = None,
    positive: Annotated[
        str,
        typer.Option(
            help="Of two classes, the one looked for; else the rarer.", rich_help_panel=_GOAL
        ),
    ] = "",
    beta: Annotated[
        float, typer.Option(help="Weight of recall in f-beta.", rich_help_panel=_GOAL)
    ] = 1.0,
    regime: Annotated[
        str, typer.Option(help="auto, frozen, fine-tune or scratch.", rich_help_panel=_MODEL)
    ] = "auto",
    arch: Annotated[
        str, typer.Option(help="auto, lite0, resnet18 or timm:NAME.", rich_help_panel=_MODEL)
    ] = "auto",
    size: Annotated[
        int, typer.Option(help="Pixels a side; 0 leaves the choice.", rich_help_panel=_MODEL)
    ] = 0,
    policy: Annotated[
        str,
        typer.Option(
            help="Augmentation: auto, none, a policy's name, or a .yaml file.",
            rich_help_panel=_MODEL,
        ),
    ] = "auto",
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or cuda:N.", rich_help_panel=_MODEL)
    ] = "auto",
    workers: Annotated[
        int,
        typer.Option(
            help="Processes that augment; -1: none on a processor, 8 beside a GPU.",
            rich_help_panel=_MODEL,
        ),
    ] = -1,
    threads: Annotated[
        int,
        typer.Option(help="Threads of torch; 0 takes every core.", min=0, rich_help_panel=_MODEL),
    ] = 0,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Passes over the training images at most.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(help="Images per step.", rich_help_panel=_TRAINING, show_default=False),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(help="Learning rate.", rich_help_panel=_TRAINING, show_default=False),
    ] = None,
    optimiser: Annotated[
        str | None,
        typer.Option(help="adamw or sgd.", rich_help_panel=_TRAINING, show_default=False),
    ] = None,
    weight_decay: Annotated[
        float | None,
        typer.Option(help="Decay of weights.", rich_help_panel=_TRAINING, show_default=False),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(
            help="Share of the last layer dropped.", rich_help_panel=_TRAINING, show_default=False
        ),
    ] = None,
    class_weights: Annotated[
        str | None,
        typer.Option(
            help="inverse, effective or none.", rich_help_panel=_TRAINING, show_default=False
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            help="plain, or balanced: rare classes as often.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    focal: Annotated[
        float | None,
        typer.Option(
            help="Exponent of the focal loss; 0 is none.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="fp32, bf16 or fp16.", rich_help_panel=_TRAINING, show_default=False),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Epochs without gain until it stops; 0: never.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    accumulate: Annotated[
        int | None,
        typer.Option(
            help="Batches per optimiser step.", rich_help_panel=_TRAINING, show_default=False
        ),
    ] = None,
    clip: Annotated[
        float | None,
        typer.Option(
            help="Greatest norm of the gradient.", rich_help_panel=_TRAINING, show_default=False
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="train.KEY=VALUE for every other setting; may be repeated.",
            rich_help_panel=_TRAINING,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Of all that is random; else 0.", rich_help_panel=_TRAINING, show_default=False
        ),
    ] = None,
    tune: Annotated[
        int,
        typer.Option(
            help="Trials of hyperparameters, judged on val.", min=0, rich_help_panel=_SEARCH
        ),
    ] = 0,
    tune_strategy: Annotated[
        Strategy,
        typer.Option(
            help="How trials are drawn: tpe, random, or stepwise.", rich_help_panel=_SEARCH
        ),
    ] = "tpe",
    no_sanity: Annotated[
        bool,
        typer.Option(
            "--no-sanity", help="Skip the checks before training.", rich_help_panel=_SEARCH
        ),
    ] = False,
    no_test: Annotated[
        bool, typer.Option("--no-test", help="Do not look at test.", rich_help_panel=_JUDGING)
    ] = False,
    final: Annotated[
        bool,
        typer.Option(
            "--final",
            help="Then train on train and val, for test and for use.",
            rich_help_panel=_JUDGING,
        ),
    ] = False,
    out_of_fold: Annotated[
        int,
        typer.Option(
            help="Folds: train on all others, predict each; for dataprep audit --probs. 0: not.",
            min=0,
            rich_help_panel=_JUDGING,
        ),
    ] = 0,
    compare: Annotated[
        Compared | None,
        typer.Option(
            help="cleaned: whether cleaning the training part helps.",
            rich_help_panel=_JUDGING,
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(help="Trainings of each side of --compare.", min=2, rich_help_panel=_JUDGING),
    ] = 5,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from the last checkpoint.", rich_help_panel=_OUTPUT),
    ] = False,
    out: Annotated[
        str,
        typer.Option(
            help="Folder for results; the baseline goes to OUT/baseline.", rich_help_panel=_OUTPUT
        ),
    ] = "dataprep-out",
    log: Annotated[
        list[str] | None,
        typer.Option(
            help="tensorboard or mlflow, beside history.csv; may be repeated.",
            rich_help_panel=_OUTPUT,
        ),
    ] = None,
    format: Annotated[
        Format, typer.Option(help="What stdout gets.", rich_help_panel=_OUTPUT)
    ] = "table",
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print the verdict alone.", rich_help_panel=_OUTPUT),
    ] = False,
) -> None:
    """Train an honest baseline on a split, judge it once on test, and say what to do next.

    Results go to OUT/baseline: baseline.html, metrics.json, predictions.parquet, the model and
    run.json. Several processes: torchrun --nproc-per-node N -m dataprep train-baseline ...
    """
    _demand_torch()
    from dataprep.baselines.training.distributed import process_group

    flags = ctx.params
    refuse_among_images(flags, "audit", "split", "baseline")
    if plan and not (path or compare):
        raise OptionError(
            "--plan goes with images, for the split that is made of them, or with --compare: "
            "dataprep split --plan"
        )
    with process_group(device) as rank:
        with progress_bar(quiet or rank > 0) as progress:
            split, audit = _source(flags, rank, progress)
            made = _trained(flags, split, audit, progress)
            paths = _kept(made, split, audit, out) if rank == 0 else None
        if paths is not None:
            _print(made, paths, format, quiet)


def _demand_torch() -> None:
    from importlib.util import find_spec

    if find_spec("torch") is None:
        from dataprep.schemas.text.extras import how_to_install

        raise InputError(f"training needs torch, which is not installed: {how_to_install('train')}")


def _trained(
    flags: Mapping[str, Any], split: Split, audit: Audit | None, progress: Progress
) -> Baseline:
    from dataprep.baselines.recipe import train_baseline as train
    from dataprep.baselines.training.settings import BaselineOptions, parse_settings

    given = {name: flags[name] for name in _SETTINGS if flags[name] is not None}
    settings = given | parse_settings(flags["setting"] or ())
    options = BaselineOptions(
        require=tuple(flags["require"] or ()),
        evaluate_test=not flags["no_test"],
        sanity=not flags["no_sanity"],
        compare=flags["compare"] or "",
        log=tuple(flags["log"] or ()),
        **{name: flags[name] for name in _OPTIONS},
    )
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

    try:
        if format == "json":
            with open(paths[METRICS], encoding="utf-8") as file:
                for line in file:
                    sys.stdout.write(line)
        else:
            print_baseline(made, paths, verdict_only=quiet)
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
