"""What can be pruned how: the methods, and a request made into the plan that a worker runs. Never imports torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.attacks.catalogue import DEFAULT_PRESET, PRESETS, get_preset, promises_margins
from backend.eps import check_eps, eps_text, parse_eps
from backend.errors import InvalidRequest, TrainsOnTest, UnknownName
from backend.jobs.drafts import check_fit, check_preset_fits
from backend.schemas import Page
from backend.schemas.datasets import DatasetOut
from backend.schemas.prunings import MethodOut, PassesOut, PruningIn, ScheduleOut, SettingOut, TrainingLoss
from backend.schemas.records import MeasuredMargins, PruningRecord, TrainingPasses
from backend.services.checkpoints.service import load_checkpoint
from backend.services.comparisons.caveats import caveat_of_flags
from backend.services.datasets.fetching import Fetch, suggest_published, tell_fetch
from backend.services.datasets.service import find_dataset
from backend.services.datasets.views import show_dataset
from backend.store import datasets
from backend.store.database import reading
from backend.store.evaluations import whole_evaluation
from backend.store.tables import Checkpoint, Dataset, Evaluation
from models.pruning.fitting import SCHEDULES, Changes, make_plan
from models.pruning.plans import BASELINE, CONTROL, MEASURED_MARGINS, METHODS, SETTINGS, Method, Plan
from models.pruning.recipes import PAPER_RECIPES, plan_paper

LOSSES: tuple[TrainingLoss, ...] = ("PGD-AT", "TRADES", "MART")
CONTROL_ROW = Method(
    CONTROL,
    "Control",
    "Finetune as long without pruning, to see what finetuning alone does to the samples.",
    ("weight",),
    (),
    False,
)
ROWS: tuple[Method, ...] = (*METHODS.values(), CONTROL_ROW)
MOST_SHARED = 0.01  # share of the judging images that may be among the training images, with a warning
MANY_IMAGES = 60_000  # of the zoo's training set, for which the short schedules are written
USUAL_RATE = 0.95
NOT_MIRRORED = (
    "The paper's schedule crops and mirrors images, but this run does not: the classes of {slug} are numbers and may "
    "be digits. Set `augments` to crop and mirror them anyway."
)


@dataclass(frozen=True)
class Draft:
    """A request that can be run: its rows, its plan, what training and test images share, and what was left out.

    `margins` is the evaluation that the dense margins come from, None where the training estimates or needs none.
    """

    parent: Checkpoint
    dataset: Dataset
    training: Dataset
    plan: Plan
    shared: int
    notes: list[str]
    margins: Evaluation | None


def list_methods() -> Page[MethodOut]:
    """Every method, and the control at the end."""
    items = [_show_method(row) for row in ROWS]
    return Page(items=items, total=len(items), limit=len(items), offset=0)


def draft_pruning(request: PruningIn) -> Draft:
    """Check a request and make its plan.

    Raises:
        NotFound: no such parent or training data.
        UnknownName: no such method, setting or preset; lists what exists.
        TrainsOnTest: the training data is the parent's own data set, or holds more than a few of its images.
        InvalidRequest: the parent is not dense, the data does not fit it, the numbers make no run, or measured margins
            are asked for and nobody measured them.
    """
    if request.method not in {row.name for row in ROWS}:
        raise UnknownName("pruning method", request.method, [row.name for row in ROWS])
    training = find_dataset(request.training_dataset_id)
    with reading() as session:
        parent = load_checkpoint(session, request.parent_id)
        dataset = parent.dataset
        check_data(parent, dataset, training)
        shared = datasets.count_shared(session, training.id, dataset.id)
    refuse_shared(shared, dataset, training)
    if request.evaluate is not None:
        check_preset_fits(get_preset(request.evaluate), dataset.default_norm)
    notes = []
    if request.augments is None and request.schedule == "paper" and are_numbered(training):
        request = request.model_copy(update={"augments": False})
        notes.append(NOT_MIRRORED.format(slug=training.slug))
    if (request.method, request.schedule, request.epochs) == (CONTROL, "paper", None):
        notes.append(tell_epochs())
    plan = plan_run(request, dataset, training.size)
    margins = find_margins(parent, training) if plan.takes_measured_margins else None
    if caveat := caveat_of_flags(parent.name, margins):
        notes.append(caveat)
    return Draft(parent, dataset, training, plan, shared, notes, margins)


def find_margins(parent: Checkpoint, training: Dataset) -> Evaluation:
    """The newest evaluation that measured the parent's margins on every training image.

    Raises:
        InvalidRequest: there is none; says how to get one.
    """
    presets = [name for name in PRESETS if promises_margins(name)]
    with reading() as session:
        found = whole_evaluation(session, parent.id, training.id, training.size, norm="Linf", presets=presets)
    if found is not None:
        return found
    raise InvalidRequest(
        f"No evaluation measured the margins of {parent.name} on all of {training.slug}. Queue one first (`thinice "
        f"evaluate {parent.name} --preset {DEFAULT_PRESET} --dataset {training.slug} --norm Linf --samples "
        f"{training.size}`), or leave {MEASURED_MARGINS} out to estimate them.",
        setting=MEASURED_MARGINS,
    )


def are_numbered(training: Dataset) -> bool:
    """Whether the classes are called by numbers: they may be digits, whose mirror images belong to no class."""
    return all(name.isdecimal() for name in training.classes)


def tell_epochs() -> str:
    """Why a control of the paper's schedule needs its epochs given."""
    known = ", ".join(f"{name} {plan_paper(name, USUAL_RATE).epochs}" for name in PAPER_RECIPES)
    return (
        f"The paper schedules differ in their epochs ({known}); a control trains as long as {BASELINE}. To compare "
        "it with another method, give it that method's epochs: a control that was trained differently decides nothing."
    )


def check_data(parent: Checkpoint, dataset: Dataset, training: Dataset) -> None:
    """Refuse a parent that is not dense, and training data that is not for it or that judges it."""
    if parent.role != "dense":
        raise InvalidRequest(
            f"{parent.name} is pruned already; prune the dense checkpoint that it comes from.",
            parent_id=str(parent.id),
        )
    if parent.parent_id is not None:
        raise InvalidRequest(
            f"{parent.name} is a control; prune the checkpoint that it comes from, so that both are in one family.",
            parent_id=str(parent.id),
        )
    if training.id == dataset.id:
        raise TrainsOnTest(
            f"{parent.name} is evaluated on {training.slug}; training on it would make every number of the result "
            "worthless. Add the training images as a data set of their own (`thinice dataset cifar10 --split train`, "
            "or a pair of idx files).",
            dataset_id=str(training.id),
        )
    check_fit(parent, training)


def refuse_shared(shared: int, dataset: Dataset, training: Dataset) -> None:
    """Refuse training data with more than a few of the images that judge; a few are in some published sets."""
    if shared > MOST_SHARED * dataset.size:
        raise TrainsOnTest(
            f"The result would be judged on {dataset.slug}, but {shared:,} of its {dataset.size:,} images are among "
            f"the training images of {training.slug}, so every number would be worthless. Leave these images out.",
            shared=shared,
        )


def plan_run(request: PruningIn, dataset: Dataset, images: int) -> Plan:
    """The plan for that many training images; raises as `draft_pruning`."""
    if request.method != CONTROL and request.sparsity is None:
        raise InvalidRequest(f"{request.method} needs a sparsity: the share to remove, such as 0.95.")
    if request.method == CONTROL and request.sparsity is not None:
        raise InvalidRequest("A control prunes nothing; leave the sparsity out.")
    check_settings(request)
    changes = Changes(
        loss=request.loss,
        epochs=request.epochs,
        eps_text=choose_eps(request, dataset),
        pgd_steps=request.pgd_steps,
        learning_rate=request.learning_rate,
        epoch_images=request.epoch_images,
        validation_samples=request.validation_samples,
        augments=request.augments,
        precision=request.precision,
    )
    try:
        return make_plan(
            request.method,
            request.sparsity or 0.0,
            request.granularity,
            request.schedule,
            images=images,
            changes=changes,
            settings=dict(request.settings),
        )
    except ValueError as error:
        sentence = str(error)
        raise InvalidRequest(f"{sentence[0].upper()}{sentence[1:]}.") from error


def check_settings(request: PruningIn) -> None:
    """Refuse a setting that the method does not have, or a value outside its bounds."""
    row = next(row for row in ROWS if row.name == request.method)
    for name, value in request.settings.items():
        if name not in row.settings:
            raise UnknownName(f"setting of {row.name}", name, row.settings)
        bounds = SETTINGS[name]
        if not bounds.low <= value <= bounds.high:
            raise InvalidRequest(
                f"{name} must be within {bounds.low:g}..{bounds.high:g}; got {value:g}.",
                setting=name,
                low=bounds.low,
                high=bounds.high,
            )
        if bounds.is_whole and value != int(value):
            raise InvalidRequest(f"{name} must be a whole number; got {value:g}.", setting=name)


def choose_eps(request: PruningIn, dataset: Dataset) -> str:
    """The exact text of the radius of training, in Linf: as asked for, else that of the parent's data set."""
    if request.eps is not None:
        check_eps(request.eps, "Linf", math.prod(dataset.shape))
        return eps_text(request.eps, "Linf")
    if dataset.default_norm != "Linf":
        raise InvalidRequest(
            f"Give an eps: training uses Linf attacks, but the eps of {dataset.slug} is for {dataset.default_norm}.",
            norm=dataset.default_norm,
        )
    return dataset.default_eps


def estimate_cost(request: PruningIn) -> PassesOut:
    """What a request would cost; raises as `draft_pruning`."""
    draft = draft_pruning(request)
    return show_cost(draft.plan, draft.training.size)


def show_cost(plan: Plan, images: int) -> PassesOut:
    """Passes and steps of a plan on that many training images."""
    return PassesOut(**plan.count_passes(images).to_record(), steps=plan.count_steps(images), epochs=plan.epochs)


def describe_draft(draft: Draft, seed: int) -> PruningRecord:
    """What is known before the run, with what to warn of."""
    parent, training, dataset = draft.parent, draft.training, draft.dataset
    warnings = list(draft.notes)
    if draft.shared:
        warnings.append(
            f"The result is judged on {dataset.slug}, but {draft.shared:,} of its {dataset.size:,} images are among "
            f"the training images of {training.slug}: results on these images mean nothing."
        )
    record = PruningRecord(
        architecture=parent.architecture,
        normalization=parent.normalization,
        parent=parent.name,
        dataset=dataset.slug,
        training_dataset=training.slug,
        training_split=training.split,
        training_samples=training.size,
        shared_samples=draft.shared,
        method=draft.plan.method,
        structure=draft.plan.structure,
        recipe={**draft.plan.describe(), "parent_sha256": parent.weights_sha256},
        passes=TrainingPasses.model_validate(draft.plan.count_passes(training.size).to_record()),
        seed=seed,
        warnings=tuple(warnings),
    )
    if draft.margins is None:
        return record
    measured = draft.margins.record
    source = MeasuredMargins(
        evaluation_id=draft.margins.id, forwards=measured.forwards or 0, backwards=measured.backwards or 0
    )
    return record.merge(PruningRecord(dense_margins=source))


def suitable_datasets(parent_id: UUID | str) -> list[DatasetOut]:
    """Data sets that a checkpoint can be trained on: same shape and classes, not its own; training splits first."""
    with reading() as session:
        parent = load_checkpoint(session, parent_id)
        own = parent.dataset
        rows = [row for row in datasets.all_datasets(session) if _is_suitable(row, own)]
    return [show_dataset(row) for row in sorted(rows, key=lambda row: (row.split != "train", -row.size))]


def suggest_training(parent_id: UUID | str) -> list[Fetch]:
    """The training splits of the published data sets that fit a checkpoint, and where they stand; only that of its own
    data set where it has the name of one.
    """
    with reading() as session:
        own = load_checkpoint(session, parent_id).dataset
    return [tell_fetch(entry.name, "train") for entry in suggest_published(own.shape, len(own.classes), own.slug)]


def _is_suitable(row: Dataset, own: Dataset) -> bool:
    return row.id != own.id and row.shape == own.shape and len(row.classes) == len(own.classes)


def read_radius(plan: Plan) -> float:
    """The radius of training as a number."""
    return float(parse_eps(plan.finetuning.eps_text))


def _show_method(row: Method) -> MethodOut:
    plans = {name: _plan_usual(row, name) for name in _schedules_of(row)}
    defaults = plans["short"].settings
    return MethodOut(
        name=row.name,
        title=row.title,
        summary=row.summary,
        granularities=list(row.granularities),
        losses=[plans["short"].finetuning.loss] if row.has_own_loss else list(LOSSES),
        settings=[
            SettingOut(
                name=name,
                low=SETTINGS[name].low,
                high=SETTINGS[name].high,
                default=defaults.get(name),
                whole=SETTINGS[name].is_whole,
                meaning=SETTINGS[name].meaning,
            )
            for name in row.settings
        ],
        schedules=[_show_schedule(name, plan) for name, plan in plans.items()],
    )


def _schedules_of(row: Method) -> Sequence[str]:
    has_paper = row.name in PAPER_RECIPES or row.name == CONTROL
    return SCHEDULES if has_paper else [name for name in SCHEDULES if name != "paper"]


def _plan_usual(row: Method, schedule: str) -> Plan:
    return make_plan(row.name, USUAL_RATE, "weight", schedule, images=MANY_IMAGES, changes=Changes(), settings={})


def _show_schedule(name: str, plan: Plan) -> ScheduleOut:
    return ScheduleOut(
        name="paper" if name == "paper" else "short",
        epochs=plan.epochs,
        search_epochs=plan.searching.epochs if plan.searching else 0,
        loss=plan.finetuning.loss,
        learning_rate=plan.finetuning.learning_rate,
        pgd_steps=plan.finetuning.pgd_steps,
    )
