"""Which pairs stand ready, in which order, and on how many shared samples."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from sqlalchemy import event

from backend.schemas.evaluations import EvaluationOut
from backend.services import comparisons
from backend.store.database import get_engine, reading
from backend.store.evaluations import indices_of
from tests.services.fabrication import change_checkpoint, evaluate, queue
from tests.services.families.fabrication import N, evaluate_pair


def names_of(pairs: list[tuple[EvaluationOut, EvaluationOut]]) -> list[tuple[str, str, int]]:
    return [(dense.checkpoint_name, pruned.checkpoint_name, pruned.n) for dense, pruned in pairs]


def test_default_pairs_put_the_most_telling_first(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    assert comparisons.default_pairs() == []
    for n in (100, N):
        for name in ("dense", "pruned-80", "pruned-95", "control", "seed"):
            evaluate(family[name], dataset, measured["dense"], n, purpose="demo")
    assert names_of(comparisons.default_pairs()) == [
        *(("dense", name, n) for n in (N, 100) for name in ("pruned-95", "pruned-80")),
        *(("dense", "control", n) for n in (N, 100)),
    ], "margins of most samples first, controls last"
    for name in ("dense", "pruned-80"):
        evaluate(family[name], dataset, measured["dense"], 50)
    assert names_of(comparisons.default_pairs())[0] == ("dense", "pruned-95", N), "a user's small pair decides nothing"
    evaluate(family["pruned-80"], dataset, measured["dense"], N)
    assert names_of(comparisons.default_pairs())[0] == ("dense", "pruned-80", N), "but one of as many samples does"


def test_default_pairs_put_denied_parents_picked_rows_and_verdicts_last(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    witnesses = replace(measured["dense"], kind="witness", attack="apgd-ce")
    fields = {"preset": "autoattack", "record": {"distance_kind": "witness"}}
    for name in ("dense", "pruned-80"):
        evaluate(family[name], dataset, witnesses, N, **fields)
        evaluate(family[name], dataset, measured["dense"], list(range(1, 150)))
        evaluate(family[name], dataset, measured["dense"], 60)
    evaluate(family["pruned-95"], dataset, measured["dense"], 60)
    change_checkpoint(family["pruned-95"], inspection={"descent": {"answer": "no"}})
    found = [(pruned.checkpoint_name, pruned.preset, pruned.n) for _, pruned in comparisons.default_pairs()]
    assert found == [
        ("pruned-80", "margin", 60),
        ("pruned-80", "autoattack", N),
        ("pruned-80", "margin", 149),
        ("pruned-95", "margin", 60),
    ]


def test_default_pairs_take_nested_sets_of_samples(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    evaluate(family["dense"], dataset, measured["dense"], 100)
    small = evaluate(family["pruned-95"], dataset, measured["pruned-95"], 50)
    ((dense, pruned),) = comparisons.default_pairs()
    assert (dense.n, pruned.id, comparisons.count_shared(dense, pruned)) == (100, small.id, 50)
    found = comparisons.compare(dense.id, pruned.id)
    assert (found.n, found.equal_effort) == (50, True)
    assert [one.severity for one in found.mismatches if one.field == "samples"] == ["note"]
    alike = evaluate(family["dense"], dataset, measured["dense"], 50)
    evaluate(family["dense"], dataset, measured["dense"], 200)
    ((dense, pruned),) = comparisons.default_pairs()
    assert dense.id == alike.id, "the same samples before a wider set"
    large = evaluate(family["pruned-80"], dataset, measured["pruned-95"], N)
    (dense, pruned), *_ = comparisons.default_pairs()
    assert (pruned.id, comparisons.count_shared(dense, pruned)) == (large.id, 200), "the dense side may be the smaller"


def test_default_pairs_leave_out_what_was_attacked_otherwise(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    evaluate(family["dense"], dataset, measured["dense"], 100)
    evaluate(family["pruned-95"], dataset, measured["dense"], 100, norm="L2")
    evaluate(family["pruned-95"], dataset, measured["dense"], list(range(1, 101)))
    queue(family["pruned-95"], dataset, 100)
    assert comparisons.default_pairs() == []


def test_default_pairs_read_no_lists_of_rows(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    for name in ("dense", "pruned-95", "pruned-80"):
        evaluate(family[name], dataset, measured["dense"], 100)
        evaluate(family[name], dataset, measured["dense"], list(range(1, 101)))
    asked: list[str] = []
    event.listen(get_engine(), "before_cursor_execute", lambda *call: asked.append(call[2]))
    assert len(comparisons.default_pairs()) == 4
    assert asked and not any("evaluation.indices" in statement for statement in asked)


def test_is_pair_needs_two_finished_evaluations_with_shared_samples(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name], 50) for name in ("dense", "pruned-95"))
    waiting = queue(family["pruned-95"], dataset, 100)
    with reading() as session:
        first = {*indices_of(session, [dense.id])[dense.id]}
    others = evaluate(family["pruned-80"], dataset, measured["dense"], sorted({*range(N)} - first)[:20])
    assert comparisons.is_pair(dense.id, str(pruned.id))
    for other in (waiting.id, others.id, uuid4(), "no id"):
        assert not comparisons.is_pair(dense.id, other)
