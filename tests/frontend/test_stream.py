"""The stream of news: what it says first, what afterwards, and when it ends. Read from a real server."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from backend.services import evaluations
from frontend.stream import PATH, Lookout, find_changes, stream_routes
from tests.services.fabrication import add_checkpoint, add_dataset, begin, queue

Events = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def stopping() -> threading.Event:
    return threading.Event()


@pytest.fixture
def address(ready: Path, stopping: threading.Event) -> Iterator[str]:
    app = FastAPI()
    app.state.stopping = stopping
    app.include_router(stream_routes())
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    stopping.set()
    server.should_exit = True
    thread.join(10)


def read_events(address: str, wanted: int) -> Events:
    """The first so many events of a new stream."""
    events: Events = []
    name = ""
    with httpx2.stream("GET", address + PATH, timeout=30) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                events.append((name, json.loads(line.removeprefix("data: "))))
                if len(events) == wanted:
                    break
    return events


def test_stream_begins_with_the_state_then_the_cells_of_what_waits(ready: Path, address: str) -> None:
    dataset = add_dataset(ready, "digits")
    row = queue(add_checkpoint(dataset.id, "dense"), dataset)
    (first, state), (second, cells) = read_events(address, 2)
    assert (first, second, state["waiting"]) == ("state", "cells", 1)
    assert cells[f"{row.id}:done"] == {"text": "0 of 60"} and cells[f"{row.id}:fill"] == {"width": "0.0%"}


def test_stream_tells_a_new_state_and_only_the_cells_that_changed(ready: Path, address: str) -> None:
    dataset = add_dataset(ready, "digits")
    dense = add_checkpoint(dataset.id, "dense")
    first, second = queue(dense, dataset), queue(dense, dataset, seed=1)
    found: list[Events] = []
    reader = threading.Thread(target=lambda: found.append(read_events(address, 4)))
    reader.start()
    time.sleep(0.5)
    begin(first.id)
    reader.join(20)
    names = [name for name, _ in found[0]]
    assert names == ["state", "cells", "state", "cells"] and found[0][0][1]["stamp"] != found[0][2][1]["stamp"]
    changed = found[0][3][1]
    assert changed[f"{first.id}:doing"] == {"text": "loading"}
    assert f"{second.id}:done" not in changed and f"{first.id}:done" not in changed


def test_stream_ends_when_the_server_stops(address: str, stopping: threading.Event) -> None:
    with httpx2.stream("GET", address + PATH, timeout=10) as response:
        lines = response.iter_lines()
        assert next(lines) == "event: state"
        stopping.set()
        assert [line for line in lines if line.startswith("event: ")] == []


def test_lookout_asked_by_many_reads_once(ready: Path) -> None:
    lookout = Lookout()
    first = lookout.look()
    dataset = add_dataset(ready, "digits")
    queue(add_checkpoint(dataset.id, "dense"), dataset)
    assert lookout.look() is first
    lookout.taken -= 10
    assert lookout.look()[0].waiting == 1


def test_find_changes_leaves_out_what_is_known() -> None:
    sent = {"a": {"text": "1"}, "b": {"text": "2"}}
    assert find_changes({"a": {"text": "1"}, "b": {"text": "3"}, "c": {"text": "4"}}, sent) == {
        "b": {"text": "3"},
        "c": {"text": "4"},
    }


def test_cancelled_jobs_leave_the_stream(ready: Path, address: str) -> None:
    dataset = add_dataset(ready, "digits")
    row = queue(add_checkpoint(dataset.id, "dense"), dataset)
    evaluations.cancel_evaluation(row.id)
    assert read_events(address, 1)[0][1]["waiting"] == 0
