"""What presets there are, and how attacks, presets and flags are found by name. Data only: no torch here."""

from dataclasses import dataclass, field
from typing import Any

from backend.attacks.catalogue.attacks import ATTACKS, BISECTION_PASSES, MARGIN_STEPS, SEARCH, Attack
from backend.attacks.catalogue.flags import FLAGS, Flag, index_by_name
from backend.errors import UnknownName


@dataclass(frozen=True)
class Preset:
    """Attacks that are run together; `distance_kind` says what the distances mean (protocol: minimum or witness)."""

    name: str
    title: str
    description: str
    needs_eps: bool
    norms: tuple[str, ...]
    distance_kind: str
    attacks: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    fallbacks: tuple[str, ...] = ()

    @property
    def is_official(self) -> bool:
        """Whether the official code of AutoAttack runs it."""
        return "version" in self.parameters


PRESETS: dict[str, Preset] = index_by_name(
    [
        Preset(
            "margin",
            "Margins",
            "Smallest perturbation that changes the decision, per sample: an untargeted minimum-norm run, runs towards "
            "the classes whose boundaries are estimated nearest (two in Linf, three in L2), in L2 these and a second "
            "untargeted run begin along the gradient's signs and end along the gradient, a start on the segment to a "
            "sample of another class (in Linf only where nothing was found), in Linf two starts from random patterns "
            "within the best radius, a diversified restart and a random search without gradients, and a bisection of "
            "the best. Needs no eps; gives the whole robustness curve.",
            False,
            ("Linf", "L2"),
            "minimum",
            (
                "fmn-untargeted",
                "fmn-target-1",
                "fmn-target-2",
                "spread-untargeted",
                "spread-target-1",
                "spread-target-2",
                "spread-target-3",
                "segment",
                "fmn-pattern-1",
                "fmn-pattern-2",
                "fmn-restart-1",
                SEARCH,
            ),
            {"steps": MARGIN_STEPS, "restarts": 1, "targets": 3, "passes": BISECTION_PASSES},
            ("precise", "transfer"),
        ),
        Preset(
            "fast",
            "Fast verdict",
            "A verdict at one eps at a fraction of AutoAttack's work (in Linf as strong at less than a tenth): a "
            "minimum-norm run, in L2 a second one that begins along the gradient's signs, runs towards the nearest "
            "classes, in L2 a start on the segment to a sample of another class, and for what comes close to eps "
            "diversified restarts inside it. What is broken or far leaves early, so that its distances answer at "
            "this eps alone; margins come from margin.",
            True,
            ("Linf", "L2"),
            "witness",
            (
                "fmn-untargeted",
                "fmn-target-1",
                "fmn-target-2",
                "fmn-target-3",
                "spread-untargeted",
                "spread-target-1",
                "spread-target-2",
                "spread-target-3",
                "segment",
                "ascent-restart",
            ),
            {"steps": MARGIN_STEPS, "restarts": 67, "targets": 3},
            ("precise", "transfer", "hidden"),
        ),
        Preset(
            "autoattack",
            "AutoAttack, standard",
            "The official recipe at one eps, with the official code (pyautoattack): each attack runs on what the ones "
            "before it left standing. A verdict at eps, for citing; its distances only witness that eps is enough.",
            True,
            ("Linf", "L2", "L1"),
            "witness",
            ("apgd-ce", "apgd-t", "fab-t", "square"),
            {"version": "standard", "steps": 100, "restarts": 1, "targets": 9, "queries": 5000},
        ),
        Preset(
            "autoattack-plus",
            "AutoAttack plus",
            "AutoAttack version plus, the official code (pyautoattack): untargeted attacks with five restarts, Square, "
            "then the targeted ones, each on what the ones before it left standing. A verdict at eps, for citing, at "
            "three times the cost of the standard version; its distances only witness that eps is enough.",
            True,
            ("Linf", "L2"),
            "witness",
            ("apgd-ce-5", "apgd-dlr-5", "fab-5", "square", "apgd-t", "fab-t"),
            {"version": "plus", "steps": 100, "restarts": 5, "targets": 9, "queries": 5000},
        ),
    ]
)


def find_entry(kind: str, name: str, entries: dict[str, Any]) -> Any:
    """Entry of this name; UnknownName lists what exists."""
    if name not in entries:
        raise UnknownName(kind, name, entries)
    return entries[name]


def get_preset(name: str) -> Preset:
    """Preset of this name; UnknownName lists what exists."""
    preset: Preset = find_entry("preset", name, PRESETS)
    return preset


def get_attack(name: str) -> Attack:
    """Attack of this name; UnknownName lists what exists."""
    attack: Attack = find_entry("attack", name, ATTACKS)
    return attack


def get_flag(code: str) -> Flag:
    """Flag with this code; UnknownName lists what exists."""
    flag: Flag = find_entry("flag", code, FLAGS)
    return flag
