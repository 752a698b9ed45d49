"""What the form says, as a request; and what it would cost, in words."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError

from backend.errors import InvalidRequest, ThinIceError
from backend.schemas.prunings import PruningIn
from backend.services import prunings
from backend.services.prunings import plans
from frontend.words import count_words
from models.pruning.plans import CONTROL

FIELDS = {name: f"the {name}" for name in ("epochs", "seed", "name", "sparsity", "settings")}


def read_form(values: dict[str, Any]) -> PruningIn:
    """The request of a form's values by field name; empty fields are left to the schedule.

    Raises:
        InvalidRequest: no checkpoint or training images are chosen, or a field is no number.
    """
    if not values["parent"] or not values["data"]:
        raise InvalidRequest("Choose a dense checkpoint and training images first.")
    wish: dict[str, Any] = {
        "parent_id": UUID(values["parent"]),
        "training_dataset_id": values["data"],
        "method": values["method"],
        "sparsity": None if values["method"] == CONTROL else round(float(values["sparsity"]) / 100, 6),
        "granularity": values["granularity"],
        "schedule": values["schedule"],
        "seed": values["seed"],
    }
    settings = {name: value for name, value in values["settings"].items() if value not in (None, "")}
    optional = {name: values[name] for name in ("epochs", "eps", "loss", "name", "evaluate")}
    given = {name: value for name, value in optional.items() if value not in (None, "")}
    try:
        return PruningIn(**wish, **given, settings=settings)
    except ValidationError as error:
        wrong = sorted({FIELDS.get(str(part["loc"][0]), str(part["loc"][0])) for part in error.errors()})
        raise InvalidRequest(f"Please check {' and '.join(wrong)}.") from error


def cost_words(values: dict[str, Any]) -> tuple[str, str]:
    """(what it would cost, or why it cannot be run; a free name for the result)."""
    if not values["data"]:
        return "", "automatic"
    try:
        request = read_form(values)
        cost, name = plans.estimate_cost(request), prunings.suggest_name(request)
    except ThinIceError as error:
        return error.message, "automatic"
    words = (
        f"About {million(cost.total)} passes of a single image through the network, in "
        f"{count_words(cost.steps, 'step')} over {count_words(cost.epochs, 'epoch')}. The duration depends on the "
        "network and the device; the time left is shown once training has started."
    )
    return words, name


def million(number: int) -> str:
    """`2.78 million`, `3.1 billion`; small numbers as they are."""
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:,}"
