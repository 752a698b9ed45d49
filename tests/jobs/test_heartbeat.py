"""A slow database kills nobody: missed beats, never a dead thread, and no job taken from oneself."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import timedelta

from backend.jobs import worker
from backend.store import database
from backend.store.tables import Worker, now


def wait_until(question):
    end = time.monotonic() + 20
    while not question():
        assert time.monotonic() < end
        time.sleep(0.02)


def last_seen():
    with database.reading() as session:
        row = session.get(Worker, "w")
        assert row is not None
        return row.last_seen


def test_keep_beating_refused_by_a_locked_database_goes_on(home, monkeypatch, caplog):
    monkeypatch.setattr(worker, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    database.migrate()
    one = Worker(id="w", host="h", pid=1, device="cpu")
    worker.beat(one)
    writer = sqlite3.connect(home / "thinice.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    locked_at = now()
    stopping = threading.Event()
    thread = threading.Thread(target=worker.keep_beating, args=(one, stopping))
    thread.start()
    try:
        wait_until(lambda: caplog.text.count("a heartbeat was missed") >= 2)
        assert last_seen() < locked_at + timedelta(seconds=0.001)
        writer.rollback()
        unlocked_at = now()
        wait_until(lambda: last_seen() > unlocked_at)
    finally:
        writer.close()
        stopping.set()
        thread.join(5)


# A worker of which the store has never heard, with the shipped checkpoints' pre-flights as its jobs.
REAP = """
import os
from dbos import DBOS
from backend.jobs import engine, reaper, worker
engine.Executor.worker_id = "me"
worker.launch("me")
def pending():
    return {job.workflow_id for job in DBOS.list_workflows(status="PENDING")}
own, held = [], set()
while not (own or held):  # by one job during the whole of the reap
    before = pending()
    own += reaper.reap("me")
    held = before & pending()
others = []
while not others:
    others = reaper.reap("somebody else")
print(own, others[0].startswith("preflight-"), flush=True)
os._exit(0)
"""


def test_reap_leaves_its_own_executors_jobs_and_frees_those_of_the_dead(crew):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", REAP], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[] True\n", done.stderr
