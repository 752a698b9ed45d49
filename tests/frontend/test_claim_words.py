"""The sentence about the claims: both questions, and colour for the second alone."""

from pathlib import Path
from typing import Any

import numpy as np

from frontend.claim_words import claims_sentence, count_answers, read_claims
from tests.frontend.words import text_of
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure

N, EPS = 240, 0.1


def claim_of(share: float) -> dict[str, Any]:
    named = {"attack": "PGD-10", "norm": "Linf", "eps_text": "25.5/255", "n": N, "source": "card: a test"}
    return {"robust_accuracy": share} | named


def test_claims_sentence_answers_both_questions_in_counts(ready: Path, tmp_path: Path) -> None:
    assert claims_sentence(read_claims()) == []
    dataset = add_dataset(tmp_path, "digits", n=N)
    _, labels = make_pixels(N)
    parent = None
    for seed, (name, images) in enumerate((("dense", 40), ("alike", 42), ("worse", 90), ("waiting", 0))):
        measured = measure(labels, seed)
        share = float(np.mean(measured.margin > EPS)) + images / N
        made: dict[str, Any] = {} if parent is None else {"role": "pruned", "parent_id": parent.id, "method": "lwm"}
        row = add_checkpoint(dataset.id, name, origin="zoo", claim=claim_of(share), **made)
        parent = parent or row
        if seed == 0:
            assert text_of(claims_sentence(read_claims())) == "1 claim, none re-evaluated at its ε yet."
        if name != "waiting":
            evaluate(row, dataset, measured)
    said = claims_sentence(read_claims())
    assert text_of(said) == (
        "Is the claim too high? yes for 3 of 3. By more than the dense parent's claim? ▼ yes for 1 of 2; "
        "cannot tell for 1. These networks are our re-implementations."
    )


def test_count_answers_marks_a_yes_only_where_it_is_asked_to() -> None:
    plain, marked = count_answers(["yes", "no", "no"]), count_answers(["yes"], marks_yes=True)
    assert text_of(plain) == "yes for 1 of 3; no for 2" and text_of(marked) == "▼ yes for 1 of 1"
    assert "is-lost" in marked[0].className and "is-lost" not in plain[0].className
