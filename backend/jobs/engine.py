"""The durable workflows: which steps a job has; how it ends is `lifecycle.ending`. What the steps do: `evaluate`,
`evidence`, `prune`, `preflight` and `importing`.

A workflow may be run again from its start by another process; steps that ended are not repeated, and the step that was
cut off is (evaluate.run_chunk then finds whether its rows are there).
"""

from uuid import UUID

from dbos import DBOS

from backend.jobs import evaluate, evidence, importing, kinds, lifecycle, preflight, prune, pruning_results, restoring
from backend.jobs.queue import EVALUATE, EVIDENCE, PREFLIGHT, PRUNE, RESTORE, VERIFY


class Executor:
    """What this process is, told once by `worker.main` before any job runs."""

    worker_id = ""
    device = "cpu"


class GaveWay(BaseException):
    """Ends a workflow whose job is in the queue again. The engine would take an Exception for the end of the job."""


@DBOS.step(name="start")
def start(evaluation_id: str, run_number: int) -> int:
    return evaluate.start(UUID(evaluation_id), run_number, Executor.device)


@DBOS.step(name="chunk")
def run_chunk(evaluation_id: str, run_number: int, number: int) -> None:
    evaluate.run_chunk(UUID(evaluation_id), run_number, number, worker_id=Executor.worker_id, device=Executor.device)


@DBOS.step(name="finish")
def finish(evaluation_id: str, run_number: int) -> None:
    evaluate.finish(UUID(evaluation_id), run_number)


@DBOS.workflow(name=EVALUATE, max_recovery_attempts=1_000)
def evaluate_job(evaluation_id: str, run_number: int) -> None:
    """One evaluation: its chunks in order. `run_number` tells resumes apart: an old one writes nothing.

    Between chunks it gives the device to a job that goes first. These calls are no steps, because the answer of a step
    would be remembered, and the job would give way once more whenever it goes on.
    """
    job = kinds.EVALUATION, UUID(evaluation_id), run_number
    with lifecycle.ending(*job):
        chunks = start(evaluation_id, run_number)
        lifecycle.go_on(*job)
        for number in range(chunks):
            if lifecycle.give_way(*job):
                raise GaveWay
            run_chunk(evaluation_id, run_number, number)
        finish(evaluation_id, run_number)


@DBOS.workflow(name=EVIDENCE, max_recovery_attempts=1_000)
def evidence_job(evidence_id: str, run_number: int) -> None:
    """Evidence additional to one evaluation's primary run.

    How far it is stands in its row, so a worker that takes over, or a run after giving way, goes on there. It is no
    step, because the end of a step would be remembered, and the rest of the work with it.
    """
    job = kinds.EVIDENCE, UUID(evidence_id), run_number
    with lifecycle.ending(*job):
        if not evidence.run(UUID(evidence_id), run_number, Executor.device, lambda: lifecycle.give_way(*job)):
            raise GaveWay


@DBOS.step(name="prune")
def run_pruning(pruning_id: str, run_number: int) -> None:
    """The whole training: its state is on disk, so a worker that takes over goes on there, bit for bit."""
    prune.run(UUID(pruning_id), run_number, worker_id=Executor.worker_id, device=Executor.device)


@DBOS.step(name="after-pruning")
def follow_pruning(pruning_id: str) -> None:
    pruning_results.follow_up(UUID(pruning_id))


@DBOS.workflow(name=PRUNE, max_recovery_attempts=1_000)
def prune_job(pruning_id: str, run_number: int) -> None:
    """One pruning, from its parent to a checkpoint in the registry; then the evaluation that was asked for."""
    with lifecycle.ending(kinds.PRUNING, UUID(pruning_id), run_number):
        run_pruning(pruning_id, run_number)
        follow_pruning(pruning_id)


@DBOS.workflow(name=VERIFY, max_recovery_attempts=1_000)
def verify_job(evaluation_id: str) -> None:
    """Verify shipped results on the network of this store; they are shown meanwhile."""
    run_verification(evaluation_id)


@DBOS.step(name="verify")
def run_verification(evaluation_id: str) -> None:
    importing.verify_stored(UUID(evaluation_id), Executor.device)


@DBOS.workflow(name=RESTORE, max_recovery_attempts=1_000)
def restore_job(evaluation_id: str, index: int) -> None:
    """Compute one adversarial again that an imported evaluation came without."""
    run_restoring(evaluation_id, index)


@DBOS.step(name="restore")
def run_restoring(evaluation_id: str, index: int) -> None:
    restoring.run(UUID(evaluation_id), index, Executor.device)


@DBOS.workflow(name=PREFLIGHT, max_recovery_attempts=1_000)
def preflight_job(checkpoint_id: str) -> None:
    """Look a checkpoint over before anybody trusts a number from it."""
    run_preflight(checkpoint_id)


@DBOS.step(name="preflight")
def run_preflight(checkpoint_id: str) -> None:
    preflight.run(UUID(checkpoint_id), Executor.device)
