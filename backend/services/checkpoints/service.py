"""Checkpoints: import an upload, list, change, delete."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.attacks.catalogue import get_preset
from backend.counts import count_words
from backend.eps import check_eps, eps_text
from backend.errors import Conflict, InvalidRequest, NotFound
from backend.jobs.drafts import check_preset_fits
from backend.jobs.registration.checkpoints import (
    insert_checkpoint,
    inspect_columns,
    queue_first_evaluation,
    queue_preflight,
    read_columns,
    refuse_taken_name,
    samples_at_defaults,
)
from backend.jobs.registration.lineage import check_parent, describe_oddities
from backend.registry.child import take_checkpoint
from backend.registry.imported import ImportedCheckpoint
from backend.registry.layer_lists import is_layer_list, read_layer_list
from backend.schemas import Page
from backend.schemas.checkpoints import CheckpointIn, CheckpointOut, CheckpointPatch
from backend.services.checkpoints.views import show_checkpoint
from backend.services.datasets.service import find_dataset
from backend.services.shared.arguments import check_page, read_id
from backend.settings import get_settings
from backend.store import checkpoints as store
from backend.store.database import reading, writing
from backend.store.discarded import discard_checkpoint
from backend.store.tables import Checkpoint, Dataset

LOG = logging.getLogger(__name__)

CLAIM_FIELDS = ("claimed_robust_accuracy", "claimed_attack", "claimed_n", "claimed_source")
CLAIM_BALL = ("claimed_norm", "claimed_eps")


def list_checkpoints(limit: int = 50, offset: int = 0, *, name: str | None = None) -> Page[CheckpointOut]:
    """A page of checkpoints, newest first; with `name` the one that has it, or none."""
    check_page(limit, offset)
    with reading() as session:
        rows, total = store.page_of_checkpoints(session, limit, offset, name=name)
    return Page(items=[show_checkpoint(row) for row in rows], total=total, limit=limit, offset=offset)


def list_samples_at_defaults(checkpoint_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How many samples the first evaluation of a child gets, by parent and preset; see `samples_at_defaults`."""
    with reading() as session:
        return samples_at_defaults(session, checkpoint_ids)


def list_parents() -> list[CheckpointOut]:
    """Every checkpoint that can be a parent, the newest first."""
    with reading() as session:
        return [show_checkpoint(row) for row in store.dense_checkpoints(session)]


def list_children(checkpoint_id: UUID) -> list[CheckpointOut]:
    """Every checkpoint that was made from this one, pruned or not, by name."""
    with reading() as session:
        rows = [row for row in store.all_checkpoints(session) if row.parent_id == checkpoint_id]
        return [show_checkpoint(row) for row in sorted(rows, key=lambda row: row.name)]


def get_checkpoint(checkpoint_id: UUID | str) -> CheckpointOut:
    """One checkpoint; NotFound when there is none of that id."""
    with reading() as session:
        return show_checkpoint(load_checkpoint(session, checkpoint_id))


def load_checkpoint(session: Session, checkpoint_id: UUID | str) -> Checkpoint:
    """The row of a checkpoint.

    Raises:
        NotFound: there is none of that id.
    """
    row = store.find_checkpoint(session, read_id(checkpoint_id, "checkpoint"))
    if row is None:
        raise NotFound(f"There is no checkpoint {checkpoint_id}.", checkpoint_id=str(checkpoint_id))
    return row


def add_checkpoint(path: Path, form: CheckpointIn, *, filename: str) -> CheckpointOut:
    """Import the file at `path`, keep its effective weights, queue the pre-flight and what `form.evaluate` asks for.

    Args:
        path: the uploaded file; stays where it is.
        form: the fields sent with it.
        filename: what the user calls the file; a keep rate in it counts where the form has none.

    Raises:
        InvalidRequest, UnknownName: a field does not fit; before the file is opened.
        NotFound: no such data set or parent.
        Conflict: the name is taken.
        RejectedCheckpoint, TooLarge: see `backend.registry.child`.
    """
    dataset = find_dataset(form.dataset_id)
    claim = read_claim(form, dataset)
    listed = read_layer_list(form.architecture) if form.architecture and is_layer_list(form.architecture) else None
    if form.evaluate is not None:
        check_preset_fits(get_preset(form.evaluate), dataset.default_norm)
    if form.evaluate_samples is not None and form.evaluate_samples > dataset.size:
        raise InvalidRequest(
            f"{dataset.slug} has {count_words(dataset.size, 'sample')}; evaluate_samples is {form.evaluate_samples:,}.",
            size=dataset.size,
        )
    with reading() as session:
        refuse_taken_name(session, form.name)
        architecture = listed.name if listed else form.architecture
        parent = check_parent(session, form.parent_id, form.role, form.method, dataset, architecture=architecture)
    imported = import_file(path, filename, form, dataset, listed.text if listed else form.architecture)
    columns = read_columns(imported)
    row = Checkpoint(
        **columns,
        inspection=inspect_columns(columns, form.role, dataset.id, parent),
        name=form.name,
        role=form.role,
        parent_id=form.parent_id,
        dataset_id=dataset.id,
        method=form.method,
        declared_sparsity=form.declared_sparsity,
        claim=claim,
        preflight={"state": "queued", "checks": []},
        origin="upload",
    )
    with writing() as session:
        insert_checkpoint(session, row, dataset)
    queue_preflight(row)
    shown = show_checkpoint(row)
    return shown if form.evaluate is None else _evaluate_at_once(row, dataset, form, shown)


def import_file(
    path: Path,
    filename: str,
    form: CheckpointIn,
    dataset: Dataset,
    architecture: str | None,
    folder: Path | None = None,
) -> ImportedCheckpoint:
    """Read the file in a child process; `architecture` is a name or the JSON list of the layers. The weights go into
    the artefact store, or into `folder`."""
    settings = get_settings()
    return take_checkpoint(
        path,
        dataset_classes=len(dataset.classes),
        dataset_shape=(dataset.shape[0], dataset.shape[1], dataset.shape[2]),
        architecture=architecture,
        normalization=form.normalization,
        out_dir=folder or settings.artefacts,
        settings=settings,
        keep_rate=form.keep_rate,
        file_name=filename,
    )


def _evaluate_at_once(row: Checkpoint, dataset: Dataset, form: CheckpointIn, shown: CheckpointOut) -> CheckpointOut:
    """Queue the first evaluation; the checkpoint with a warning where that fails."""
    try:
        queue_first_evaluation(row, dataset, str(form.evaluate), form.evaluate_samples)
    except Exception as error:  # the checkpoint is kept: an error would send the user to upload it again
        LOG.exception("the evaluation of %s was not queued", row.id)
        return shown.model_copy(update={"warnings": [*shown.warnings, f"The evaluation was not queued: {error}"]})
    return shown


def patch_checkpoint(checkpoint_id: UUID | str, patch: CheckpointPatch) -> CheckpointOut:
    """Change what may change after the import; fields that were not set stay.

    Raises:
        NotFound: no such checkpoint or parent.
        Conflict: the name is taken, or children need this checkpoint as a root.
        InvalidRequest: the parent does not fit, a claim without its figure, or an eps that does not fit its norm.
    """
    given = patch.model_fields_set
    found = _inspect_anew(checkpoint_id, patch) if "parent_id" in given else None
    with writing() as session:
        row = load_checkpoint(session, checkpoint_id)
        dataset = row.dataset
        parent = None if row.parent_id is None else store.find_checkpoint(session, row.parent_id)
        outdated = describe_oddities(row, parent, [])
        if "name" in given and patch.name is not None and patch.name != row.name:
            refuse_taken_name(session, patch.name)
            row.name = patch.name
        if given & {"parent_id", "method"}:
            parent = _check_lineage(session, row, patch, dataset)
        for name in given & {"parent_id", "method", "declared_sparsity"}:
            setattr(row, name, getattr(patch, name))
        if "parent_id" in given:
            row.inspection = found
        if given & {*CLAIM_FIELDS, *CLAIM_BALL}:
            row.claim = change_claim(row.claim, patch, dataset)
        kept = [sentence for sentence in row.warnings if sentence not in outdated]
        row.warnings = [*kept, *describe_oddities(row, parent, [])]
        session.flush()
        return show_checkpoint(row)


def _inspect_anew(checkpoint_id: UUID | str, patch: CheckpointPatch) -> dict[str, Any] | None:
    """What the weights say compared with the parent of a patch; outside of any transaction, it starts a child."""
    with reading() as session:
        row = load_checkpoint(session, checkpoint_id)
        parent = None if patch.parent_id is None else store.find_checkpoint(session, patch.parent_id)
    if patch.parent_id == row.parent_id:
        return row.inspection
    if patch.parent_id is not None and (
        parent is None or parent.role != "dense" or parent.dataset_id != row.dataset_id
    ):
        return None  # the patch will be refused
    columns = {"file": row.file, "layers": row.layers, "architecture": row.architecture}
    return inspect_columns(columns, row.role, row.dataset_id, parent)


def delete_checkpoint(checkpoint_id: UUID | str) -> None:
    """Forget a checkpoint and, where no other uses it, its file.

    Raises:
        NotFound: no such checkpoint.
        Conflict: children or evaluations need it; says how many.
    """
    with writing() as session:
        row = load_checkpoint(session, checkpoint_id)
        children, evaluations, prunings = store.count_dependants(session, row.id)
        if children or evaluations or prunings:
            raise Conflict(
                f"{row.name} cannot be deleted, because other rows need it: "
                f"{count_words(children, 'checkpoint')} made from it, {count_words(evaluations, 'evaluation')} and "
                f"{count_words(prunings, 'pruning')}.",
                children=children,
                evaluations=evaluations,
                prunings=prunings,
            )
        file = row.file
        discard_checkpoint(session, row)
        session.delete(row)
    with writing() as session:  # nothing is written: it keeps an import of the same file waiting (SQLite)
        if not store.is_file_used(session, file):
            (get_settings().artefacts / file).unlink(missing_ok=True)


def read_claim(form: CheckpointIn, dataset: Dataset) -> dict[str, Any] | None:
    """The claim that came with an upload; None where no figure was claimed."""
    return change_claim(None, form, dataset)


def change_claim(
    present: dict[str, Any] | None, form: CheckpointIn | CheckpointPatch, dataset: Dataset
) -> dict[str, Any] | None:
    """The claim with the fields that `form` sets; a claim without a figure is refused."""
    claim = dict(present or {})
    if "claimed_robust_accuracy" in form.model_fields_set:
        claim["source"] = None  # a figure that is typed over another does not come from where that came
    for name in CLAIM_FIELDS:
        if name in form.model_fields_set:
            claim[name.removeprefix("claimed_")] = getattr(form, name)
    details = [claim.get(name) for name in ("attack", "n", "source")] + [getattr(form, name) for name in CLAIM_BALL]
    if claim.get("robust_accuracy") is None:
        if any(value is not None for value in details):
            raise InvalidRequest("A claim needs a number: give claimed_robust_accuracy, 0 to 1, as well.")
        return None
    claim["norm"], claim["eps_text"] = choose_claimed_eps(claim, form, dataset)
    names = ("robust_accuracy", "attack", "norm", "eps_text", "n", "source")
    return {name: claim.get(name) for name in names}


def choose_claimed_eps(
    present: dict[str, Any], form: CheckpointIn | CheckpointPatch, dataset: Dataset
) -> tuple[str, str]:
    """(norm, exact text of eps) of a claim: as given, else as they were, else the data set's own.

    An eps stays only with the norm it was said for.

    Raises:
        InvalidRequest: no eps, too large a one, or none given for a norm that the data set has no default for.
    """
    before = present.get("norm") or dataset.default_norm
    norm = (form.claimed_norm or dataset.default_norm) if "claimed_norm" in form.model_fields_set else before
    if form.claimed_eps is not None:
        check_eps(form.claimed_eps, norm, math.prod(dataset.shape))
        return norm, eps_text(form.claimed_eps, norm)
    if norm == before and present.get("eps_text") and "claimed_eps" not in form.model_fields_set:
        return norm, present["eps_text"]
    if norm != dataset.default_norm:
        raise InvalidRequest(
            f"A claim in {norm} needs an eps: give claimed_eps, because {dataset.slug} has no default for {norm}.",
            norm=norm,
        )
    return norm, dataset.default_eps


def _check_lineage(session: Session, row: Checkpoint, patch: CheckpointPatch, dataset: Dataset) -> Checkpoint | None:
    """The parent that a checkpoint would have after the patch; refuses what cannot be, before anything is changed."""
    given = patch.model_fields_set
    parent_id = patch.parent_id if "parent_id" in given else row.parent_id
    method = patch.method if "method" in given else row.method
    if parent_id == row.id:
        raise InvalidRequest("A checkpoint cannot be its own parent.", parent_id=str(parent_id))
    parent = check_parent(session, parent_id, row.role, method, dataset, architecture=row.architecture)
    # A parent is a root, or a control of one: cycles need longer chains than that.
    if parent is not None and store.count_dependants(session, row.id)[0]:
        raise Conflict(f"{row.name} is itself a parent, so it cannot have one.", checkpoint_id=str(row.id))
    return parent
