"""Help: the words, the attacks, the flags, how to read a comparison, the keys and the calls, each with an address."""

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from backend.attacks.catalogue import FLAGS, PRESETS, Flag, Preset
from backend.attacks.catalogue.attacks import ATTACKS, Attack
from frontend.components import Content, aria, table
from frontend.help.glossary import GROUPS, Word
from frontend.help.guide import CALLS, READING, RULES
from frontend.pages.sample.layout import KEY_WORDS as SAMPLE_KEYS
from frontend.pages.samples.layout import KEY_WORDS as SAMPLES_KEYS

PATH = "/help"
TITLE = "Help"
HELP = "help"
NAMED = "help-named"

SECTIONS = {
    "reading": "How to read a comparison",
    "words": "Words",
    "attacks": "Attacks",
    "flags": "Reliability flags",
    "rules": "Rules behind the numbers",
    "keys": "Keys",
    "calls": "Without a browser",
}


def register(app: Dash) -> None:
    """Bring the entry that the address names into view (assets/help.js): it is not there yet when the page loads."""
    app.clientside_callback(ClientsideFunction("help", "arrive"), Output(NAMED, "data"), Input(HELP, "id"))


def layout(**query: str) -> Component:
    """The whole page; nothing in it depends on the query."""
    body = [
        section("reading", definition_list(READING)),
        section("words", *[word_group(name, words) for name, words in GROUPS.items()]),
        section("attacks", presets(), *[attack_entry(attack) for attack in ATTACKS.values()]),
        section("flags", flag_intro(), *[flag_entry(flag) for flag in FLAGS.values()]),
        section("rules", html.Ol([html.Li(rule) for rule in RULES], className="help-rules")),
        section("keys", key_tables()),
        section("calls", *calls()),
    ]
    heading = [
        html.H1("Help", className="page-title"),
        html.P(
            "What the words mean, how the numbers are made, and what to do when one of them looks too good.",
            className="headline",
        ),
    ]
    return html.Div(
        [
            dcc.Store(id=NAMED),
            *heading,
            html.Div([contents(), html.Div(body, className="help-body")], className="help-columns"),
        ],
        id=HELP,
        className="help-page",
    )


def contents() -> Component:
    links = [html.Li(html.A(title, href=f"#{name}")) for name, title in SECTIONS.items()]
    return html.Nav(html.Ul(links), className="help-contents", **aria(label="On this page"))


def section(name: str, *children: Content) -> Component:
    return html.Section([html.H2(SECTIONS[name]), *children], id=name, className="card help-section")


def definition_list(entries: Sequence[tuple[str, str]]) -> Component:
    parts = [part for name, words in entries for part in (html.Dt(name), html.Dd(words))]
    return html.Dl(parts, className="help-list")


def word_group(name: str, words: tuple[Word, ...]) -> Component:
    entries = [
        html.Div([html.Dt([anchor(word.name, word.anchor), *also(word)]), html.Dd(word.means)], id=word.anchor)
        for word in words
    ]
    return html.Div([html.H3(name), html.Dl(entries, className="help-words")])


def anchor(name: str, target: str) -> Component:
    """An entry's name, which is also the link to it."""
    return html.A(name, href=f"#{target}", className="help-anchor")


def also(word: Word) -> list[Component]:
    return [html.Span(f"also {', '.join(word.also)}", className="help-also")] if word.also else []


def presets() -> Component:
    entries = [preset_entry(preset) for preset in PRESETS.values()]
    return html.Div([html.H3("Presets"), *entries, html.H3("Attacks in them")])


def preset_entry(preset: Preset) -> Component:
    runs = [part for name in preset.attacks for part in (html.A(ATTACKS[name].title, href=f"#attack-{name}"), ", ")][
        :-1
    ]
    facts: list[tuple[str, Content]] = [
        ("runs", runs),
        ("distances", html.A(preset.distance_kind, href=f"#word-{preset.distance_kind}")),
        ("needs ε", "yes" if preset.needs_eps else "no"),
        ("norms", ", ".join(preset.norms)),
    ]
    return entry(f"preset-{preset.name}", preset.title, preset.name, preset.description, facts)


def attack_entry(attack: Attack) -> Component:
    cost = f"{attack.gradients:,} gradients and {attack.forwards:,} forward passes per image, at most"
    source: list[Content] = [attack.reference]
    if attack.arxiv is not None:
        source.append(f" (arXiv {attack.arxiv})")
    settings = ", ".join(f"{name} {value}" for name, value in attack.parameters.items())
    facts: list[tuple[str, Content]] = [("cost", cost), ("settings", settings), ("source", source)]
    return entry(f"attack-{attack.name}", attack.title, attack.name, None, facts)


def flag_intro() -> Component:
    return html.P(
        "Every evaluation checks its network. A flag changes no number; it says how far to trust the numbers.",
        className="help-intro",
    )


def flag_entry(flag: Flag) -> Component:
    facts: list[tuple[str, Content]] = [
        ("raised if", flag.raised_if),
        ("means", flag.means),
        ("what to do", flag.what_to_do),
    ]
    return entry(f"flag-{flag.code}", flag.title, flag.code, None, facts)


def entry(target: str, title: str, code: str, words: str | None, facts: Sequence[tuple[str, Content]]) -> Component:
    """A titled entry with its stable name and what is to know about it."""
    items = [part for name, content in facts for part in (html.Dt(name), html.Dd(content))]
    parts: list[Component] = [html.H3([anchor(title, target), html.Code(code)])]
    if words is not None:
        parts.append(html.P(words))
    return html.Article([*parts, html.Dl(items, className="help-facts")], id=target, className="help-entry")


def key_tables() -> Component:
    groups = {"Samples": SAMPLES_KEYS, "Sample": SAMPLE_KEYS}
    return html.Div(
        [html.Div([html.H3(page), key_list(words)]) for page, words in groups.items()],
        className="help-keys",
    )


def key_list(words: dict[str, str]) -> Component:
    items = [part for key, does in words.items() for part in (html.Dt(html.Kbd(key)), html.Dd(does))]
    return html.Dl(items, className="key-words")


def calls() -> list[Component]:
    rows = [[html.Code(f"{call.method} {call.path}"), call.answers] for call in CALLS]
    intro = html.P(
        [
            "Everything on these pages is also a REST call. ",
            html.A("All calls, with their parameters and answers", href="/api/docs"),
            ". The command ",
            html.Code("thinice"),
            " speaks the same interface.",
        ],
        className="help-intro",
    )
    return [intro, table("REST calls", ["call", "answers"], rows, text_columns=2)]
