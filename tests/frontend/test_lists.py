"""Whole lists: what lies beyond the first page is there, in its order, and can be chosen on the pages."""

from pathlib import Path

import pytest

from backend.schemas import Page
from backend.services import evaluations
from frontend.lists import PAGE_ROWS, read_list
from frontend.pages import jobs, upload
from frontend.pages.compare.layout import evaluation_choices
from frontend.pages.jobs import ids
from frontend.pages.jobs.listing import Filter, read_listing
from frontend.pages.prune.layout import dense_checkpoints
from frontend.pages.upload import ids as upload_ids
from tests.frontend.words import by_id
from tests.services.fabrication import (
    add_checkpoint,
    add_dataset,
    begin,
    finish,
    make_pixels,
    measure,
    queue,
    write_chunk,
)

MANY = PAGE_ROWS + 5


def list_numbers(limit: int, offset: int) -> Page[int]:
    return Page(items=list(range(450))[offset : offset + limit], total=450, limit=limit, offset=offset)


@pytest.mark.parametrize(("most", "found"), [(None, 450), (10, 10), (200, 200), (201, 201), (1000, 450), (0, 0)])
def test_read_list_gives_every_item_once_in_order(most: int | None, found: int) -> None:
    assert read_list(list_numbers, most) == list(range(found))


def test_pages_offer_the_oldest_of_many_checkpoints_and_data_sets(ready: Path, tmp_path: Path) -> None:
    oldest_set = add_dataset(tmp_path, "digits-0", 4)
    for number in range(1, MANY):
        add_dataset(tmp_path, f"digits-{number}", 4, seed=number)
    oldest = add_checkpoint(oldest_set.id, "net-0")
    for number in range(1, MANY):
        add_checkpoint(oldest_set.id, f"net-{number}")
    chosen = by_id(jobs.layout(new=str(oldest.id)), ids.QUEUE_CHECKPOINT)
    assert (chosen.value, len(chosen.data)) == (str(oldest.id), MANY)
    assert str(oldest_set.id) in [row["value"] for row in by_id(upload.layout(), upload_ids.DATASET).data]
    assert [row.name for row in dense_checkpoints()][-1] == "net-0"


def test_pages_offer_the_oldest_of_many_evaluations_and_list_the_whole_queue(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", 20)
    checkpoint, measured = add_checkpoint(dataset.id, "net"), measure(make_pixels(20)[1], 1)
    queued = [queue(checkpoint, dataset, 20, seed=seed) for seed in range(MANY)]
    assert [row.id for row in read_listing(Filter()).rows] == [row.id for row in queued]
    for row in queued:
        begin(row.id)
        write_chunk(row.id, 0, measured)
        finish(row.id, measured)
    assert [row["value"] for row in evaluation_choices()][-1] == str(queued[0].id)
    assert read_listing(Filter(ended_shown=MANY - 1)).hidden == 1
    assert read_listing(Filter(ended_shown=MANY)).rows[-1].id == queued[0].id
    assert evaluations.list_evaluations(1).total == MANY
