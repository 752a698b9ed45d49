"""The shipped data sets and checkpoints, brought into the store at the start."""

import logging
from typing import Any

from sqlalchemy.orm import Session

from backend.datasets import catalogue
from backend.datasets.samples import load
from backend.eps import canonical_eps, eps_text
from backend.errors import StartupFailed
from backend.jobs import queue
from backend.jobs.registration.checkpoints import read_columns
from backend.jobs.registration.inspections import inspect_family
from backend.jobs.registration.lineage import describe_oddities
from backend.registry.cards import Card, read_cards
from backend.registry.shipment import ShippedFile, take_shipped
from backend.settings import get_settings
from backend.store import checkpoints, datasets
from backend.store.database import reading, writing
from backend.store.discarded import list_discarded
from backend.store.tables import Checkpoint, Dataset, new_id

LOG = logging.getLogger(__name__)


def load_datasets() -> None:
    """Write the built-in data sets and their sample ids down; those that are there stay."""
    for entry in catalogue.ENTRIES:
        with reading() as session:
            if datasets.find_dataset(session, entry.name) is not None:
                continue
        samples = load(entry)
        row = Dataset(
            slug=entry.name,
            name=entry.title,
            split=entry.split,
            size=len(samples.ids),
            classes=list(entry.classes),
            shape=list(entry.shape),
            default_norm=entry.default_norm,
            default_eps=entry.default_eps,
            source=f"{entry.source} ({entry.licence})",
            builtin=True,
            file=entry.name,
        )
        with writing() as session:
            datasets.add_dataset(session, row, samples.ids, samples.labels.tolist())


def load_zoo() -> dict[str, Checkpoint]:
    """Bring the shipped checkpoints into the store, parents first; those that are there stay, and those that a
    user deleted stay away.

    Returns:
        The row of every card by the card's name.

    Raises:
        StartupFailed: a card or its weights are damaged.
    """
    cards = read_cards()
    with reading() as session:
        known = {card.name: row for card in cards if (row := _find_loaded(session, card)) is not None}
        gone = list_discarded(session)
        shelves = {card.dataset: datasets.find_dataset(session, card.dataset) for card in cards}
    missing = [card for card in cards if card.name not in known and card.sha256 not in gone]
    if not missing:
        return known
    settings = get_settings()
    files = [_describe_file(card, shelves[card.dataset]) for card in missing]
    imported = take_shipped(files, out_dir=settings.artefacts, settings=settings)
    for card, found in zip(missing, imported, strict=True):
        dataset, parent = shelves[card.dataset], known.get(card.parent or "")
        assert dataset is not None
        known[card.name] = Checkpoint(id=new_id(), **read_columns(found), **_read_card(card, dataset, parent))
    inspect_family([known[card.name] for card in missing], {row.id: row for row in known.values()})
    with writing() as session:
        for card in missing:
            row, parent = known[card.name], known.get(card.parent or "")
            row.name = _find_free_name(session, card.name)
            row.warnings = [*row.warnings, *describe_oddities(row, parent, [])]
            session.add(row)
            session.flush()
    LOG.info("loaded %d shipped checkpoints", len(missing))
    for card in missing:
        queue.enqueue_preflight(known[card.name].id, queue.SHIPPED_PREFLIGHT_PRIORITY)
    return known


def _describe_file(card: Card, dataset: Dataset | None) -> ShippedFile:
    if dataset is None:
        raise StartupFailed(
            f"The card {card.name} names the data set {card.dataset!r}, which does not exist.", card=card.name
        )
    height, width, channels = dataset.shape
    return ShippedFile(
        card.path, len(dataset.classes), (height, width, channels), card.architecture, card.normalization
    )


def _read_card(card: Card, dataset: Dataset, parent: Checkpoint | None) -> dict[str, Any]:
    """The columns of a checkpoint that its card knows."""
    return {
        "role": card.role,
        "parent_id": None if parent is None else parent.id,
        "dataset_id": dataset.id,
        "method": card.method,
        "structure": None if card.structure is None else card.structure.model_dump(),
        "declared_sparsity": card.declared_sparsity,
        "claim": _read_claim(card, dataset),
        "preflight": {"state": "queued", "checks": []},
        "origin": "zoo",
    }


def _read_claim(card: Card, dataset: Dataset) -> dict[str, Any] | None:
    if card.claimed_robust_accuracy is None:
        return None
    norm = card.claimed_norm or dataset.default_norm
    eps = dataset.default_eps if card.claimed_eps is None else card.claimed_eps
    return {
        "robust_accuracy": card.claimed_robust_accuracy,
        "attack": card.claimed_attack,
        "norm": norm,
        "eps_text": eps_text(canonical_eps(eps, norm), norm),
        "n": card.claimed_n,
        "source": card.claimed_source,
    }


def _find_loaded(session: Session, card: Card) -> Checkpoint | None:
    return checkpoints.checkpoint_from_zoo(session, card.name, card.sha256) or checkpoints.checkpoint_from_zoo(
        session, _shipped_name(card.name), card.sha256
    )


def _find_free_name(session: Session, name: str) -> str:
    """The card's name, freed from an older version's checkpoint; a user's own keeps it."""
    holder = checkpoints.checkpoint_named(session, name)
    if holder is None:
        return name
    if holder.origin != "zoo":
        return _shipped_name(name)
    holder.name = f"{name}-{holder.source_sha256[:8]}"
    session.flush()
    return name


def _shipped_name(name: str) -> str:
    return f"{name}-shipped"
