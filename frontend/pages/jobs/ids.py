"""The page's component ids, all under one prefix."""

PAGE = "jobs"
STATE = "jobs-state"
LIVE = "jobs-live"
POLL = "jobs-poll"
POLL_MILLISECONDS = 10_000  # for what only time changes: the stream tells the rest
RECORD_POLL_MILLISECONDS = 1000
SENTENCE = "jobs-sentence"
CHIPS = "jobs-chips"
TABLE = "jobs-table"
WORKERS = "jobs-workers"

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
QUEUE_RESULT = "jobs-queue-result"
QUEUE_HINT = "jobs-queue-hint"

RECORD = "jobs-record"
RECORD_ID = "jobs-record-id"
RECORD_POLL = "jobs-record-poll"
RECORD_STATE = "jobs-record-state"
RECORD_LIVE = "jobs-record-live"
RECORD_BODY = "jobs-record-body"
RECORD_EVIDENCE = "jobs-record-evidence"
RECORD_EVIDENCE_SEEN = "jobs-record-evidence-seen"
