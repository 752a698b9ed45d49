"""What the page says about a sample, in words: no distance is ever made up for one that there is not."""

from backend.schemas.comparisons import PairedSample
from backend.schemas.evaluations import MarginRow
from backend.services import catalogues
from backend.services.evaluations.views import is_robust
from frontend.figures.units import Unit

MINIMUM_WORDS = "smallest found, an upper bound"


def distance_text(distance: float | None, unit: Unit) -> str:
    """`31.42/255`; a distance too small for two digits as `< 0.01/255`, a missing one as words."""
    if distance is None:
        return "none found"
    smallest = 0.01 / unit.scale if unit.counts_steps else 0.001
    if 0 < distance < smallest:
        return f"< {unit.text(smallest, digits=2)}"
    return unit.text(distance, digits=2)


def margin_text(row: MarginRow, unit: Unit) -> str:
    """The margin, or in words why there is none."""
    return distance_text(row.margin, unit) if row.correct else "already wrong"


def attack_title(name: str) -> str:
    """An attack as people know it; its own name where the catalogue of this version lacks it."""
    found = catalogues.find_attack(name)
    return name if found is None else found.title


def why_no_adversarial(row: MarginRow, label: str, prediction: str, unit: Unit) -> tuple[str, str]:
    """Why the frame of the adversarial holds words: shortly, and in a sentence."""
    if not row.correct:
        reason = f"No attack was needed: this model classifies the clean image of {label} as {prediction}."
        if row.margin_pred is not None:
            reason += f" That prediction changes at {distance_text(row.margin_pred, unit)}; the image is not kept."
        return "none: already wrong", reason
    if not row.found:
        return "none found", "No attack changed the prediction. This does not prove that no adversarial exists."
    return "not here yet", "An adversarial was found; its image is computed again now, which takes seconds."


def verdict_at_eps(row: MarginRow, eps: float, eps_text: str) -> str:
    """What the margin says at the eps of the page, which need not be the evaluation's own."""
    if not row.correct:
        return "wrong before any attack"
    holds = is_robust(row.correct, row.margin, eps, row.distance_kind)
    return f"holds at {eps_text}" if holds else f"broken within {eps_text}"


def headline(sample: PairedSample, names: dict[str, str], unit: Unit | None, eps_text: str) -> str:
    """One or two sentences. `names`: label, dense and pruned, as classes by name; `unit` None: verdicts alone."""

    def turns(who: str, margin: float | None) -> str:
        if unit is None:
            return f"{who} {'holds at' if margin is None else 'is broken within'} {eps_text}"
        return turning(who, margin, unit)

    label, dense, pruned = names["label"], names["dense"], names["pruned"]
    if sample.set == "S11":
        return (
            f"Both models correctly predict {label}. {turns('The dense model', sample.dense_margin)}, "
            f"and {turns('the pruned model', sample.pruned_margin)}."
        )
    if sample.set == "S10":
        return (
            f"The dense model correctly predicts {label}; {turns('it', sample.dense_margin)}. "
            f"The pruned model predicts {pruned} without any attack."
        )
    if sample.set == "S01":
        return (
            f"The dense model predicts {dense} without any attack. The pruned model correctly predicts {label}; "
            f"{turns('it', sample.pruned_margin)}."
        )
    if sample.dense_prediction == sample.pruned_prediction:
        return f"Both models misclassify this {label} as {dense}, without any attack."
    return f"Neither model predicts {label}: the dense model says {dense}, the pruned model {pruned}."


def turning(who: str, margin: float | None, unit: Unit) -> str:
    if margin is None:
        return f"{'No' if who[0].isupper() else 'no'} attack broke {who[0].lower()}{who[1:]}"
    return f"{who} is broken at {distance_text(margin, unit)}"
