"""The page's component ids, all under one prefix."""

PAGE = "jobs"
STATE = "jobs-state"
LIVE = "jobs-live"
POLL = "jobs-poll"
POLL_MILLISECONDS = 1000
SENTENCE = "jobs-sentence"
CHIPS = "jobs-chips"
TABLE = "jobs-table"
WORKERS = "jobs-workers"

CANCEL = "jobs-cancel"
RESUME = "jobs-resume"

EVIDENCE = "jobs-evidence"
EVIDENCE_SEEN = "jobs-evidence-seen"

PRUNINGS = "jobs-prunings"
PRUNINGS_SEEN = "jobs-prunings-seen"

QUEUE = "jobs-queue"
QUEUE_CHECKPOINT = "jobs-queue-checkpoint"
QUEUE_PRESET = "jobs-queue-preset"
QUEUE_NORM = "jobs-queue-norm"
QUEUE_EPS = "jobs-queue-eps"
QUEUE_SAMPLES = "jobs-queue-samples"
QUEUE_SEED = "jobs-queue-seed"
QUEUE_REPEAT = "jobs-queue-repeat"
QUEUE_GO = "jobs-queue-go"
QUEUE_ANSWER = "jobs-queue-answer"
QUEUE_HINT = "jobs-queue-hint"

RECORD = "jobs-record"
RECORD_ID = "jobs-record-id"
RECORD_POLL = "jobs-record-poll"
RECORD_STATE = "jobs-record-state"
RECORD_LIVE = "jobs-record-live"
RECORD_BODY = "jobs-record-body"
RECORD_LOG = "jobs-record-log"
RECORD_EVIDENCE = "jobs-record-evidence"
RECORD_EVIDENCE_SEEN = "jobs-record-evidence-seen"


def button(kind: str, evaluation_id: object) -> dict[str, str]:
    """Id of a row's cancel or resume button."""
    return {"type": kind, "id": str(evaluation_id)}
