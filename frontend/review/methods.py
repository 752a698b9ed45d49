"""Which colour, shape and dash a pruning method has: one rule for every page and figure that names methods."""

from collections.abc import Iterable, Sequence

from dash import html
from dash.development.base_component import Component

from backend.services import catalogues
from frontend.components import aria
from frontend.theme import METHOD_MARKS, mark_of

METHODS = tuple(catalogues.list_pruning_methods())
UNNAMED = "unnamed"


def order_methods(found: Iterable[str | None]) -> list[str]:
    """The methods in the order of the key, each once: the known ones first."""
    names = {name or UNNAMED for name in found}
    known = [name for name in METHODS if name in names]
    return [*known, *sorted(names - set(known))]


def place_method(method: str, methods: Sequence[str]) -> int:
    """The number of a method's mark; a known one keeps its own, whichever others are there."""
    if method in METHODS:
        return METHODS.index(method)
    return len(METHODS) + [name for name in methods if name not in METHODS].index(method)


def place_checkpoints(methods: Sequence[str]) -> list[int]:
    """A number for each checkpoint, given its method: that of the method for its first one, free ones for others.

    So up to eight checkpoints differ, whatever they were pruned with.
    """
    order = order_methods(methods)
    first = {name: place_method(name, order) for name in order}
    taken = set(first.values())
    spare = [place for place in reversed(range(max(len(METHOD_MARKS), len(methods)))) if place not in taken]
    seen: set[str] = set()
    places = []
    for method in methods:
        places.append(first[method] if method not in seen else spare.pop(0))
        seen.add(method)
    return places


def method_glyph(place: int) -> Component:
    """The shape of a method as text, in its colour."""
    kind = f"method-glyph key-{1 + place % len(METHOD_MARKS)}"
    return html.Span(mark_of(place).glyph, className=kind, **aria(hidden="true"))
