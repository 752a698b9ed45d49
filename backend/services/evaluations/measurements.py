"""Stored rows of an evaluation as arrays for the analysis, and its summary. Finished evaluations are kept in memory."""

import logging
import threading
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from pydantic import ValidationError
from sqlalchemy.exc import OperationalError

from backend.analysis.curves import accuracy, median_margin
from backend.analysis.outcomes import Outcomes, TextArray, decides_at, is_held, make_outcomes
from backend.analysis.statistics import Share
from backend.eps import parse_eps
from backend.errors import InvalidRequest
from backend.schemas import Interval
from backend.schemas.evaluations import Summary
from backend.store import evaluations, results
from backend.store.database import reading, writing_if_free
from backend.store.tables import Evaluation

LOG = logging.getLogger(__name__)

KEPT = 64  # evaluations in memory; one of 10,000 samples takes about 5 MB
SUMMARIES_KEPT = 4096
_MEASURING = tuple(threading.Lock() for _ in range(64))

INFINITE_WHERE_MISSING = ("margin", "margin_pred")


@dataclass(frozen=True)
class Finished:
    """A succeeded evaluation, as the key of what is kept in memory about it: it never changes again."""

    evaluation_id: UUID
    finished_at: datetime
    eps: float | None


def eps_of(evaluation: Evaluation) -> float | None:
    """The eps that an evaluation was queued with, in the norm's unit."""
    return None if evaluation.eps is None else float(parse_eps(evaluation.eps))


@dataclass(frozen=True)
class Rows:
    """What an evaluation found out: by its primary run, by everything its own run verified, and rows by sample id."""

    primary: Outcomes
    verdicts: Outcomes
    indices: dict[str, int]


def finished(evaluation: Evaluation) -> Finished | None:
    """The key of a succeeded evaluation, None for any other."""
    if evaluation.state != "succeeded" or evaluation.finished_at is None:
        return None
    return Finished(evaluation.id, evaluation.finished_at, eps_of(evaluation))


def summarise(evaluation: Evaluation) -> Summary | None:
    """The summary of a succeeded evaluation; None for any other, and where its rows contradict each other.

    It is made from the rows once, and kept in the evaluation's own row from then on.
    """
    key = finished(evaluation)
    if key is None:
        return None
    if evaluation.summary is not None:
        try:
            return Summary.model_validate(evaluation.summary)
        except ValidationError:
            LOG.info("the summary of evaluation %s is from another version; computing it again", evaluation.id)
    return _summarise(key)


def load_outcomes(key: Finished) -> Outcomes:
    """The primary run of a succeeded evaluation, by index: what two networks may be compared by."""
    return _measure(key).primary


def load_verdicts(key: Finished) -> Outcomes:
    """The same rows with what the fallback attacks of the run found nearer: what is said of one network alone.

    Fallback attacks run where flags warn of the gradients, so that one network of a pair may have been attacked harder.
    """
    return _measure(key).verdicts


def load_indices(key: Finished) -> dict[str, int]:
    """Row of the data set by sample id."""
    return _measure(key).indices


def _measure(key: Finished) -> Rows:
    with _MEASURING[hash(key) % len(_MEASURING)]:  # whoever asks for the same at the same time waits for one result
        return _read_rows(key)


@lru_cache(maxsize=KEPT)
def _read_rows(key: Finished) -> Rows:
    with reading() as session:
        columns = results.result_columns(session, key.evaluation_id)
        fallbacks = results.nearest_fallbacks(session, key.evaluation_id)
    kinds = set(columns["kind"])
    # One witness among the rows makes every margin a bound only, whatever the others are.
    kind = "witness" if "witness" in kinds else "minimum"
    primary = make_outcomes(_rename(columns), kind=kind, eps=key.eps if kind == "witness" else None)
    return Rows(primary, _add(primary, fallbacks), dict(zip(columns["sample_id"], columns["index"], strict=True)))


def _add(primary: Outcomes, fallbacks: dict[str, float]) -> Outcomes:
    """The rows with the fallback attacks' distances where they are nearer; of witnesses those within their eps."""
    if not fallbacks:
        return primary
    nearest = np.array([fallbacks.get(str(sample), np.inf) for sample in primary.sample_ids])
    if primary.kind == "witness" and primary.eps is not None:
        nearest[nearest > primary.eps] = np.inf
    margin = np.minimum(primary.margin, nearest)
    margin_pred = np.where(primary.correct, np.minimum(primary.margin_pred, margin), primary.margin_pred)
    return replace(primary, margin=margin, margin_pred=margin_pred, found=np.isfinite(margin))


def show_interval(share: Share) -> Interval:
    """The interval of a share of at least one sample."""
    assert share.low is not None and share.high is not None
    return Interval(low=share.low, high=share.high)


@lru_cache(maxsize=SUMMARIES_KEPT)
def _summarise(key: Finished) -> Summary | None:
    try:
        summary = _count(key)
    except InvalidRequest as error:
        # A network with random outputs can be right once and wrong at distance 0: no list may break over it.
        LOG.warning("evaluation %s has no summary: %s", key.evaluation_id, error.message)
        return None
    try:
        with writing_if_free() as session:
            evaluations.keep_summary(session, key.evaluation_id, summary.model_dump(mode="json"))
    except OperationalError as error:
        LOG.info("the summary of evaluation %s is kept in memory only: %s", key.evaluation_id, error.orig)
    return summary


def _count(key: Finished) -> Summary:
    outcomes = load_verdicts(key)
    clean = accuracy(outcomes)
    eps = key.eps if key.eps is not None and decides_at(outcomes, key.eps) else None
    robust = None if eps is None else accuracy(outcomes, eps)
    assert clean.value is not None
    return Summary(
        n=outcomes.n,
        clean_accuracy=clean.value,
        clean_accuracy_interval=show_interval(clean),
        robust_accuracy=None if robust is None else robust.value,
        robust_accuracy_interval=None if robust is None else show_interval(robust),
        median_margin=median_margin(outcomes, bootstrap=1).median.value,
        zero_margins=int((~outcomes.correct).sum()),
        not_found=int((~outcomes.found).sum()),
        broken_by_fallbacks=0 if eps is None else count_broken_by_fallbacks(key, eps),
    )


def count_broken_by_fallbacks(key: Finished, eps: float) -> int:
    """Samples that the primary run leaves robust at eps and the fallback attacks of the same run break."""
    return int((is_held(load_outcomes(key), eps) & ~is_held(load_verdicts(key), eps)).sum())


def _rename(columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Stored columns under the analysis' names; a missing distance is infinite."""
    ids: TextArray = np.asarray(columns["sample_id"], dtype=np.str_)
    renamed: dict[str, Any] = {
        "sample_ids": ids,
        "labels": columns["label"],
        "predictions": columns["prediction"],
        **{name: columns[name] for name in ("correct", "found", "logit_gap", "max_probability", "loss")},
    }
    for name in INFINITE_WHERE_MISSING:
        renamed[name] = [np.inf if value is None else value for value in columns[name]]
    return renamed
