"""The work on one piece of evidence, whatever its kind: what it is about, what it tells, and how a step is kept."""

from dataclasses import dataclass
from typing import Any

from backend.attacks.contract import OnStep
from backend.eps import parse_eps
from backend.jobs import lifecycle
from backend.jobs.kinds import EVIDENCE
from backend.jobs.subjects import Subject
from backend.store import evidence as store
from backend.store.database import writing
from backend.store.tables import Evaluation, Evidence


@dataclass(frozen=True)
class EvidenceWork:
    """One evidence with the evaluation that it is about, and what is attacked."""

    evidence: Evidence
    evaluation: Evaluation
    subject: Subject
    device: str

    @property
    def eps(self) -> float | None:
        """The ball that an adversarial must lie in: none where margins are measured."""
        is_verdict = self.evaluation.record.distance_kind == "witness" and self.evaluation.eps is not None
        return float(parse_eps(str(self.evaluation.eps))) if is_verdict else None

    @property
    def chunks(self) -> int:
        return -(-self.evidence.n // self.evaluation.chunk_size)


def keep(work: EvidenceWork, attempts: list[dict[str, Any]], sources: list[str], **progress: Any) -> None:
    """Write a step down; Stopped where it is no longer wanted."""
    with writing() as session:
        outcome = store.store_step(session, work.evidence, attempts, sources, **progress)
    if outcome == "stopped":
        raise lifecycle.stopped(EVIDENCE, work.evidence.id, work.evidence.run_number)


def step_reporter(work: EvidenceWork, before: str = "") -> OnStep:
    """Tell what the step in hand is doing; ends it when the evidence was cancelled."""
    return lifecycle.reporter(work.evidence, lambda text: f"{before}{text}")
