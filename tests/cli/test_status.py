"""What the status verb says of jobs, from rows as the server gives them; and a list without a row."""

from typing import Any

import pytest

from backend.cli.jobs import tell_all
from backend.cli.output import duration
from backend.cli.status import describe_all, describe_job


def job(state: str, ends: float | None, starts: float | None = None, **fields: Any) -> dict[str, Any]:
    progress = {"done": 20, "total": 100, "stage": "attack", "eta_seconds": ends}
    return {"state": state, "progress": progress, "starts_in_seconds": starts, **fields}


def test_describe_job_says_when_it_starts_and_ends() -> None:
    assert describe_job("net, margin", job("running", 125.0)) == "net, margin: running 20/100 attack, about 2 min left"
    assert describe_job("net, fast", job("queued", 4000.0, 40.2, queue_position=2)) == (
        "net, fast: queued 20/100 attack, queue position 2, starts in about 40 s, about 1 h 7 min until it is done"
    )
    assert describe_job("net, pruning", job("queued", None)) == "net, pruning: queued 20/100 attack"


def test_describe_all_is_as_long_as_the_last_job() -> None:
    assert describe_all([]) == "no job runs or waits"
    assert describe_all([job("running", 30.0), job("queued", 720.0, 30.0)]) == "2 jobs, all done in about 12 min"
    assert describe_all([job("running", 30.0), job("queued", None)]) == (
        "2 jobs; how long 1 job will take is not known yet, the others are done in about 30 s"
    )
    assert describe_all([job("running", None)]) == "1 job; how long 1 job will take is not known yet"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min"), (3540, "59 min"), (3600, "1 h 0 min"), (90_000, "25 h 0 min")],
)
def test_duration_is_written_in_its_largest_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_tell_all_of_nothing_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    tell_all([], print, nothing="There is nothing.", as_json=False)
    tell_all([], print, nothing="There is nothing.", as_json=True)
    assert capsys.readouterr().out == "There is nothing.\n[]\n"
