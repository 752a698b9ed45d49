"""The glossary holds every word that the product shows, once, and none of the words it has given up."""

import json
import re
from typing import get_args

import pytest

from backend.attacks.catalogue import PRESETS
from backend.schemas import Answer, FlipSet, Norm, Role
from backend.schemas.evaluations import MarginRow
from frontend.components import SET_WORDS
from frontend.help.addresses import PLACES, plain_text
from frontend.help.glossary import WORDS, find_word
from frontend.help.glossary.hints import write_hints

SCORES = ("margin", "logit gap", "max probability", "loss")
KINDS = get_args(MarginRow.model_fields["distance_kind"].annotation)
SHOWN = [
    *SET_WORDS.values(), *get_args(FlipSet), *get_args(Norm), *get_args(Role), *KINDS, *PRESETS, *SCORES,
    *get_args(Answer), "verdict", "holds", "broken",
    "eps", "ε", "δ", "thin ice", "control", "equal effort", "sparsity", "n", "interval", "churn", "McNemar", "AUROC",
    "average precision", "FPR at 95 % TPR", "negative flip rate", "positive flip rate", "Spearman", "robustness curve",
    "clean accuracy", "robust accuracy", "margin_pred", "not found", "none found", "adversarial", "perturbation",
    "survives 8 bits", "seed", "primary run", "fallback attack", "additional evidence", "best known", "attack harder",
    "replay", "dense on pruned", "pruned on dense", "boundary moved", "new hole", "attack noise",
    "within attack noise", "repeat", "slack_to_flip", "caveat", "incompatible", "pruning", "schedule", "passes",
    "checkpoint", "evaluation", "record", "attack", "preset", "flag", "level",
]  # fmt: skip
ONE_MEANING = (
    "answer", "stage", "series", "run", "attempt", "evidence", "claim", "home", "pool", "finding", "family", "snapshot",
)  # fmt: skip


@pytest.mark.parametrize("word", SHOWN)
def test_every_word_on_the_pages_has_an_entry(word: str) -> None:
    entry = find_word(word)
    assert entry is not None, f"{word} is shown and not explained: give it a Word in frontend/help/glossary/"
    assert entry.means.endswith(".")


@pytest.mark.parametrize("word", ONE_MEANING)
def test_words_that_had_several_meanings_have_an_entry_of_their_own(word: str) -> None:
    assert word in WORDS


def test_words_do_not_explain_themselves_twice() -> None:
    names = [*WORDS, *(form for word in WORDS.values() for form in word.also)]
    assert len(names) == len(set(names))
    assert len({word.anchor for word in WORDS.values()}) == len(WORDS)
    assert WORDS["thin ice"].anchor == "word-thin-ice" and find_word("no such word") is None


def test_a_network_predicts_and_never_answers() -> None:
    """An answer is yes, no or cannot tell."""
    pattern = re.compile(r"network('s)? (own )?answers?|answered (rightly|wrongly)|answers (rightly|wrongly)")
    assert [word.name for word in WORDS.values() if pattern.search(plain_text(word.means))] == []


def test_links_of_entries_name_kinds_that_exist() -> None:
    kinds = {kind for word in WORDS.values() for kind in re.findall(r"\]\((\w+):", word.means)}
    assert kinds <= set(PLACES)


def test_hints_explain_every_word_in_plain_text_and_lead_to_its_entry() -> None:
    hints = {hint["name"]: hint for hint in json.loads(write_hints())}
    assert hints.keys() == WORDS.keys()
    for name, hint in hints.items():
        assert name.lower() in hint["forms"] and hint["means"] and "](" not in hint["means"]
        assert hint["href"] == f"/help/glossary#{WORDS[name].anchor}"
    forms = [form for hint in hints.values() for form in hint["forms"]]
    assert len(forms) == len(set(forms)), "a form with two meanings"
