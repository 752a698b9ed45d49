"""Help explains every code, attack and word that the product shows, and every link into it leads somewhere."""

import re
from pathlib import Path
from typing import get_args

import pytest
from dash.development.base_component import Component
from fastapi import FastAPI

import frontend
from backend.api.routes import add_api
from backend.attacks.catalogue import FLAGS, PRESETS
from backend.attacks.catalogue.attacks import ATTACKS
from backend.schemas import FlipSet, Norm, Role
from backend.schemas.evaluations import MarginRow
from frontend.components import SET_WORDS
from frontend.help.glossary import WORDS, find_word
from frontend.help.guide import CALLS
from frontend.pages import help as page
from tests.frontend.words import text_of, walk

FRONTEND = Path(frontend.__file__).parent
SCORES = ("margin", "logit gap", "max probability", "loss")
KINDS = get_args(MarginRow.model_fields["distance_kind"].annotation)
SHOWN = [
    *SET_WORDS.values(), *get_args(FlipSet), *get_args(Norm), *get_args(Role), *KINDS, *PRESETS, *SCORES,
    "verdict", "holds", "broken",
    "eps", "ε", "δ", "thin ice", "control", "equal effort", "sparsity", "n", "interval", "churn", "McNemar", "AUROC",
    "average precision", "FPR at 95 % TPR", "negative flip rate", "positive flip rate", "Spearman", "robustness curve",
    "clean accuracy", "robust accuracy", "margin_pred", "not found", "none found", "adversarial", "perturbation",
    "survives 8 bits", "seed", "primary run", "extra evidence", "best known", "attack harder", "replay",
    "boundary moved", "new hole", "attack noise", "within attack noise", "repeat", "slack_to_flip",
    "pruning", "schedule", "passes", "claim", "family", "level", "answer", "checkpoint", "evaluation", "record",
    "attack", "preset",
]  # fmt: skip


@pytest.fixture(scope="module")
def content() -> Component:
    return page.layout()


def anchors(content: Component) -> list[str]:
    return [part.id for part in walk(content) if isinstance(part, Component) and getattr(part, "id", None)]


def test_ids_are_unique(content: Component) -> None:
    assert len(anchors(content)) == len(set(anchors(content)))


@pytest.mark.parametrize("word", SHOWN)
def test_every_word_on_the_pages_has_an_entry(word: str, content: Component) -> None:
    entry = find_word(word)
    assert entry is not None, f"{word} is shown and not explained"
    assert entry.anchor in anchors(content) and entry.means.endswith(".")


@pytest.mark.parametrize("code", FLAGS)
def test_every_flag_says_when_what_and_what_to_do(code: str, content: Component) -> None:
    assert f"flag-{code}" in anchors(content)
    flag, words = FLAGS[code], text_of(content)
    assert flag.raised_if in words and flag.means in words and flag.what_to_do in words


@pytest.mark.parametrize("name", [*ATTACKS, *PRESETS])
def test_every_attack_and_preset_has_an_entry(name: str, content: Component) -> None:
    assert f"attack-{name}" in anchors(content) or f"preset-{name}" in anchors(content)


def test_links_inside_the_page_lead_somewhere(content: Component) -> None:
    links = [part.href for part in walk(content) if isinstance(part, Component) and getattr(part, "href", None)]
    inside = {link[1:] for link in links if link.startswith("#")}
    assert len(inside) > 30 and inside <= set(anchors(content))


def test_links_into_the_page_lead_somewhere(content: Component) -> None:
    sources = [path for path in FRONTEND.rglob("*") if path.suffix in (".py", ".js")]
    text = "\n".join(path.read_text() for path in sources if path.name != "help.py")
    named = set(re.findall(r"/help#([a-z0-9-]+)(?=[\"'])", text))
    known = set(anchors(content))
    assert named <= known
    kinds = set(re.findall(r"/help#([a-z]+)-\{", text))
    assert "attack" in kinds and kinds <= {name.split("-")[0] for name in known}


def test_words_do_not_explain_themselves_twice() -> None:
    names = [*WORDS, *(form for word in WORDS.values() for form in word.also if form not in WORDS)]
    assert len(names) == len(set(names))
    assert len({word.anchor for word in WORDS.values()}) == len(WORDS)
    assert WORDS["thin ice"].anchor == "word-thin-ice" and find_word("no such word") is None


def test_calls_exist_as_they_are_written() -> None:
    app = FastAPI()
    add_api(app)
    known = {(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods}
    for call in CALLS:
        assert (call.method, call.path) in known, f"{call.method} {call.path}"
