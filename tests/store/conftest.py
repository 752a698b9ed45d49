"""A migrated home with one data set of three samples, and a running evaluation of them."""

import pytest

from backend.store import database, datasets
from backend.store.tables import Checkpoint, Dataset, Evaluation


@pytest.fixture
def dataset(home):
    database.migrate()
    row = Dataset(
        slug="three", name="Three", split="test", size=3, classes=["a", "b"], shape=[2, 2, 1],
        default_norm="Linf", default_eps="8/255", source="made here", file="none.npz",
    )  # fmt: skip
    with database.writing() as session:
        datasets.add_dataset(session, row, ["c" * 64, "a" * 64, "b" * 64], [0, 1, 0])
    return row


@pytest.fixture
def evaluation(dataset):
    checkpoint = Checkpoint(
        name="net", role="dense", dataset_id=dataset.id, source_sha256="s", weights_sha256="w", file="f",
        architecture="cnn", normalization="none", measured_sparsity=0.0, parameters=1, prunable=1, layers=[],
        warnings=[], preflight={}, origin="upload",
    )  # fmt: skip
    with database.writing() as session:
        session.add(checkpoint)
        session.flush()
        row = Evaluation(
            checkpoint_id=checkpoint.id, dataset_id=dataset.id, preset="margin", norm="Linf", eps="8/255",
            indices=[1, 2, 0], n=3, seed=0, priority=10, chunk_size=2, state="running",
        )  # fmt: skip
        session.add(row)
    return row
