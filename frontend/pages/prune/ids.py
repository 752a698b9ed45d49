"""The page's component ids, all under one prefix."""

from typing import Any

PAGE = "prune"
PARENT = "prune-parent"
METHOD = "prune-method"
METHOD_HINT = "prune-method-hint"
SPARSITY = "prune-sparsity"
SPARSITY_BOX = "prune-sparsity-box"
SPARSITY_WORDS = "prune-sparsity-words"
GRANULARITY = "prune-granularity"
DATA = "prune-data"
DATA_HINT = "prune-data-hint"
SETTINGS = "prune-settings"
SETTING = "prune-setting"
SCHEDULE = "prune-schedule"
EPOCHS = "prune-epochs"
EPS = "prune-eps"
LOSS = "prune-loss"
SEED = "prune-seed"
NAME = "prune-name"
EVALUATE = "prune-evaluate"
COST = "prune-cost"
GO = "prune-go"
GO_REASON = "prune-go-reason"
FETCH = "prune-fetch"
FETCH_NAME = "prune-fetch-name"
FETCH_STATE = "prune-fetch-state"
FETCH_POLL = "prune-fetch-poll"
FETCHED = "prune-fetched"
RESULT = "prune-result"

RECORD = "prune-record"
RECORD_ID = "prune-record-id"
RECORD_SEEN = "prune-record-seen"
RECORD_POLL = "prune-record-poll"
POLL_MILLISECONDS = 1000


def fetch(name: object) -> dict[str, Any]:
    """Id of the button that gets a published data set; `ALL` for every one of them."""
    return {"type": FETCH, "name": name}


def setting(name: object) -> dict[str, Any]:
    """Id of the field of a method's own number; `ALL` for every one of them."""
    return {"type": SETTING, "name": name}
