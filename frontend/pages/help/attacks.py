"""The presets and the attacks in them, as the catalogue has them."""

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.catalogues import AttackOut, PresetOut
from backend.services import catalogues
from frontend.components import Content
from frontend.help.addresses import anchor, help_address
from frontend.pages.help.frame import Anchors, entry, help_page, section
from frontend.words import count_words

TITLE = "Attacks"


def parts() -> Anchors:
    """The two sections, and between them each preset."""
    presets = [(preset.name, anchor("preset", preset.name)) for preset in catalogues.list_attacks().presets]
    return [("Presets", "presets"), *presets, ("Attacks", "attacks")]


def layout(**_query: str) -> Component:
    """Presets first, because they are what an evaluation asks for."""
    known = catalogues.list_attacks()
    titles = {attack.name: attack.title for attack in known.items}
    about = "An evaluation asks for a preset. The preset runs several attacks; the nearest verified adversarial counts."
    body = [
        section("Presets", "presets", *[preset_entry(preset, titles) for preset in known.presets]),
        section("Attacks", "attacks", *[attack_entry(attack) for attack in known.items]),
    ]
    return help_page("/help/attacks", TITLE, about, body, parts())


def preset_entry(preset: PresetOut, titles: dict[str, str]) -> Component:
    links = [html.Li(html.A(titles[name], href=f"#{anchor('attack', name)}")) for name in preset.attacks]
    details: list[tuple[str, Content]] = [
        ("runs", html.Ul(links, className="help-runs")),
        ("distances", dcc.Link(preset.distance_kind, href=help_address("word", preset.distance_kind))),
        ("needs ε", "yes" if preset.needs_eps else "no"),
        ("norms", ", ".join(preset.norms)),
    ]
    return entry("preset", preset.name, preset.title, details, code=preset.name, words=preset.description)


def settings_words(settings: dict[str, Any]) -> str:
    """`steps 100, restarts 1; in L1: targets 5, radii 3 2 1`."""
    plain = [f"{name} {value_words(value)}" for name, value in settings.items() if not isinstance(value, dict)]
    inner = [f"{name}: {settings_words(value)}" for name, value in settings.items() if isinstance(value, dict)]
    return "; ".join([", ".join(plain), *inner])


def value_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def attack_entry(attack: AttackOut) -> Component:
    source = attack.reference + (f" (arXiv {attack.arxiv})" if attack.arxiv is not None else "")
    details: list[tuple[str, Content]] = [
        (
            "cost",
            f"for each image at most {count_words(attack.gradients, 'gradient')} and "
            f"{count_words(attack.forwards, 'forward pass', 'forward passes')}",
        ),
        ("settings", settings_words(attack.parameters)),
        ("source", source),
    ]
    return entry("attack", attack.name, attack.title, details, code=attack.name)
