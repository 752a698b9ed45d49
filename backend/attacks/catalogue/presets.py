"""What presets there are, and how others are added. Data only: no torch here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from backend.attacks.catalogue.attacks import ATTACKS, BISECTION_PASSES, MARGIN_STEPS, SEARCH, Attack
from backend.errors import InvalidRequest, UnknownName


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Attacks that run together under one name, and everything that is said of them anywhere.

    short_title: as columns and notes have it. rank: strength; of evaluations of the same samples the one with the
    higher rank is shown. is_usual: tables keep a column for it even where no evaluation fills it. runs: the function
    that attacks, as "package.module:function" (`runs.AttackFunction`), which is imported when it is needed, so that
    this catalogue stays free of torch.

    promises: "margin" (the smallest perturbation that it can find, without an eps, or that it found none at all) or
    "verdict" (whether it breaks a sample within eps, with a perturbation as witness).

    attacks: names in `ATTACKS`, in the order of the candidates. parameters: `steps` (gradient steps per attack) and
    what else a reader wants to know; `targets` other classes at least are needed for all attacks to run. fallbacks:
    names of the fallback attacks that flags may call for. pool_norms: norms in which attacks start from other images.

    goes_beyond_eps: a verdict whose attacks search outside of eps too, so that every sample is broken somewhere;
    otherwise examples are put back into the ball. refuses_randomised: no run on a network whose outputs are random.
    is_foreign: foreign code that cuts and draws by batch and calls the network itself: its passes are neither padded
    nor narrowed, and it never follows a prepared copy.
    """

    name: str
    title: str
    short_title: str
    description: str
    promises: Literal["margin", "verdict"]
    rank: int
    runs: str
    norms: tuple[str, ...]
    attacks: tuple[str, ...]
    parameters: dict[str, Any] = field(default_factory=dict)
    fallbacks: tuple[str, ...] = ()
    pool_norms: tuple[str, ...] = ()
    goes_beyond_eps: bool = False
    refuses_randomised: bool = False
    is_foreign: bool = False
    is_usual: bool = False

    @property
    def needs_eps(self) -> bool:
        """Whether the caller has to name an eps."""
        return self.promises == "verdict"

    @property
    def distance_kind(self) -> Literal["minimum", "witness"]:
        """What its distances mean: the smallest that was found, or one that is enough."""
        return "minimum" if self.promises == "margin" else "witness"

    @property
    def always_finds(self) -> bool:
        """Whether it searches everywhere, so that a sample without an adversarial example raises `not-found`."""
        return self.promises == "margin" or self.goes_beyond_eps


ROWS = (
    Preset(
        name="margin",
        title="Margins",
        short_title="margin",
        description="Searches for the smallest perturbation that changes the decision, sample by sample. Runs one "
        "untargeted minimum-norm attack and one towards each of the classes whose boundaries are estimated nearest "
        "(two in Linf, three in L2). In L2, the targeted runs and a second untargeted one begin along the gradient's "
        "signs and end along the gradient. One more run starts on the segment to a sample of another class (in Linf "
        "only where nothing was found). Linf adds two starts from random patterns within the best radius, a "
        "diversified restart and a random search without gradients. A bisection refines the best result. Needs no "
        "eps; gives the whole robustness curve.",
        promises="margin",
        rank=10,
        runs="backend.attacks.presets.margin:attack_margins",
        norms=("Linf", "L2"),
        attacks=(
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
        parameters={"steps": MARGIN_STEPS, "restarts": 1, "targets": 3, "passes": BISECTION_PASSES},
        fallbacks=("precise", "transfer"),
        pool_norms=("Linf", "L2"),
        is_usual=True,
    ),
    Preset(
        name="fast",
        title="Fast verdict",
        short_title="fast",
        description="A verdict at one eps for a fraction of AutoAttack's work (in Linf as strong at less than a tenth "
        "of it). Runs one minimum-norm attack, in L2 a second one that begins along the gradient's signs, attacks "
        "towards the nearest classes and, in L2, a start on the segment to a sample of another class. Samples that "
        "come close to eps get diversified restarts inside it. Samples that are broken or far away leave early, so "
        "the distances hold at this eps only; use the preset margin to measure margins.",
        promises="verdict",
        rank=20,
        runs="backend.attacks.presets.fast:attack_fast",
        norms=("Linf", "L2"),
        attacks=(
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
        parameters={"steps": MARGIN_STEPS, "restarts": 67, "targets": 3},
        fallbacks=("precise", "transfer", "hidden"),
        pool_norms=("L2",),
        goes_beyond_eps=True,
        refuses_randomised=True,
        is_usual=True,
    ),
    Preset(
        name="autoattack",
        title="AutoAttack, standard",
        short_title="AutoAttack",
        description="The official recipe at one eps, with the official code (pyautoattack): each attack runs on the "
        "samples that the earlier ones left standing. Gives a verdict at eps to cite; the distances only show that "
        "eps is enough.",
        promises="verdict",
        rank=30,
        runs="backend.attacks.presets.autoattack:attack_officially",
        norms=("Linf", "L2", "L1"),
        attacks=("apgd-ce", "apgd-t", "fab-t", "square"),
        parameters={"version": "standard", "steps": 100, "restarts": 1, "targets": 9, "queries": 5000},
        is_foreign=True,
        is_usual=True,
    ),
    Preset(
        name="autoattack-plus",
        title="AutoAttack plus",
        short_title="AutoAttack plus",
        description="AutoAttack version plus, with the official code (pyautoattack): untargeted attacks with five "
        "restarts, Square, then the targeted attacks, each on the samples that the earlier ones left standing. Gives "
        "a verdict at eps to cite, at three times the cost of the standard version; the distances only show that eps "
        "is enough.",
        promises="verdict",
        rank=40,
        runs="backend.attacks.presets.autoattack:attack_officially",
        norms=("Linf", "L2"),
        attacks=("apgd-ce-5", "apgd-dlr-5", "fab-5", "square", "apgd-t", "fab-t"),
        parameters={"version": "plus", "steps": 100, "restarts": 5, "targets": 9, "queries": 5000},
        is_foreign=True,
    ),
)

PRESETS: dict[str, Preset] = {}
"""Every preset by name, in order; `register_preset` adds to it."""

DEFAULT_PRESET = "margin"
"""What forms and commands propose, and the margins that pages read."""

BROUGHT: dict[str, tuple[str, ...]] = {}  # names of the attacks that came with a preset


def register_preset(preset: Preset, *attacks: Attack) -> None:
    """Add a preset to the catalogue, with rows for those of its attacks that the catalogue does not have.

    Raises:
        InvalidRequest: a name is taken, an attack has no row or is not one of the preset's, `parameters` name no steps,
            or `runs` is no "package.module:function".
    """
    names = [attack.name for attack in attacks]
    if wrong := find_fault(preset, names):
        raise InvalidRequest(f"The preset {preset.name!r} cannot be added: {wrong}.", preset=preset.name)
    ATTACKS.update(zip(names, attacks, strict=True))
    PRESETS[preset.name] = preset
    BROUGHT[preset.name] = tuple(names)


def find_fault(preset: Preset, names: Sequence[str]) -> str:
    """Why a preset with rows for attacks of these names does not fit the catalogue; empty where it does."""
    module, _, function = preset.runs.partition(":")
    faults = {
        "the name is taken": [preset.name] if preset.name in PRESETS else [],
        "these attacks have a row already": [name for name in names if name in ATTACKS],
        "these rows are given twice": sorted({name for name in names if names.count(name) > 1}),
        "it does not run these attacks": [name for name in names if name not in preset.attacks],
        "it runs attacks without a row": [
            name for name in (*preset.attacks, *preset.fallbacks) if name not in {*ATTACKS, *names}
        ],
        "`parameters` must name its steps": [] if "steps" in preset.parameters else ["steps"],
        "`runs` must be 'package.module:function'": [
            part for part in (*module.split("."), function) if not part.isidentifier()
        ],
    }
    return "; ".join(f"{fault} ({', '.join(map(repr, found))})" for fault, found in faults.items() if found)


def remove_preset(name: str) -> None:
    """Take a preset out of the catalogue, and the attacks that came with it; UnknownName lists what exists."""
    get_preset(name)
    del PRESETS[name]
    for attack in BROUGHT.pop(name):
        del ATTACKS[attack]


def get_preset(name: str) -> Preset:
    """Preset of this name; UnknownName lists what exists."""
    if name not in PRESETS:
        raise UnknownName("preset", name, PRESETS)
    return PRESETS[name]


def short_title(name: str) -> str:
    """What columns and notes call a preset; the name itself where this version has no such preset."""
    return PRESETS[name].short_title if name in PRESETS else name


def rank_of(name: str) -> int:
    """The strength of a preset; below every other where this version has no such preset."""
    return PRESETS[name].rank if name in PRESETS else -1


def promises_margins(name: str) -> bool:
    """Whether a preset gives margins, which say something at every eps; False where this version has no such preset."""
    return name in PRESETS and PRESETS[name].promises == "margin"


for row in ROWS:
    register_preset(row)
