"""What attacks there are: their cost, source and parameters. Data only, for the web process too: no torch here."""

from dataclasses import dataclass, field
from typing import Any

from backend.attacks.catalogue.flags import index_by_name


@dataclass(frozen=True)
class Attack:
    """One attack: `gradients` and `forwards` are passes per image (a gradient is one forward and one backward)."""

    name: str
    title: str
    kind: str
    gradients: int
    forwards: int
    reference: str
    arxiv: str | None
    parameters: dict[str, Any] = field(default_factory=dict)


BLACK_BOX = "square"  # the attack that needs no gradient: where it wins, gradients are masked
SEARCH = "search"  # the same of the margins
MARGIN_STEPS = 30
SPREAD_STEPS = 82
BISECTION_PASSES = 10
RESTART_STEPS, RESTART_DIVERSE_STEPS, RESTART_ASCENT_STEPS = 20, 3, 7
PATTERNS, PATTERN_ASCENT_STEPS, SEARCH_QUERIES = 16, 10, 200
FMN = (
    "Pintor et al. 2021, Fast Minimum-norm Adversarial Attacks through Adaptive Norm Constraints; "
    "steps relative to the radius are ours"
)
ODI = (
    "Start: Tashiro et al. 2020, Diversity Can Be Transferred: Output Diversification for White- and Black-box "
    "Attacks; run: minimum norm, Pintor et al. 2021"
)
SPREAD = (
    "Schedule: Pintor et al. 2021, Fast Minimum-norm Adversarial Attacks through Adaptive Norm Constraints; steps that "
    "turn from the gradient's signs to the gradient are ours"
)
PATTERN = "Start: stripes as in Square, Andriushchenko et al. 2020; run: minimum norm, Pintor et al. 2021"
AUTOATTACK = (
    "Croce and Hein 2020, Reliable evaluation of adversarial robustness with an ensemble of parameter-free attacks"
)
FAB = "Croce and Hein 2020, Minimally distorted Adversarial Examples with a Fast Adaptive Boundary Attack"
SQUARE = "Andriushchenko et al. 2020, Square Attack: a query-efficient black-box adversarial attack via random search"


def describe_target_run(rank: int) -> Attack:
    """The minimum-norm run towards the class whose boundary is estimated to be the `rank`-th nearest."""
    return Attack(
        f"fmn-target-{rank}",
        f"Minimum norm, towards the class ranked {rank}",
        "minimum",
        MARGIN_STEPS - 1,
        2,
        FMN,
        "2102.12827",
        {"steps": MARGIN_STEPS, "restarts": 1, "target_rank": rank, "noise": 0.25},
    )


def describe_spread_run(name: str, title: str, **parameters: Any) -> Attack:
    """A minimum-norm run whose first steps follow the signs of the gradient and whose last ones the gradient; L2."""
    settings = {"steps": SPREAD_STEPS, "restarts": 1, "spread": True, "first_step": 2.0} | parameters
    return Attack(name, title, "minimum", SPREAD_STEPS, 2, SPREAD, "2102.12827", settings)


def describe_restart(number: int) -> Attack:
    """A minimum-norm run from a diversified restart, inside the radius of the best known example; Linf only."""
    return Attack(
        f"fmn-restart-{number}",
        f"Minimum norm, from diversified restart {number}",
        "minimum",
        RESTART_DIVERSE_STEPS + RESTART_ASCENT_STEPS + RESTART_STEPS - 1,
        2,
        ODI,
        "2003.06878",
        {
            "steps": RESTART_STEPS,
            "restarts": 1,
            "diverse_steps": RESTART_DIVERSE_STEPS,
            "ascent_steps": RESTART_ASCENT_STEPS,
        },
    )


def describe_pattern_run(number: int, share: float) -> Attack:
    """A minimum-norm run from the best of a few patterns of full strength, inside the best known radius; Linf only."""
    return Attack(
        f"fmn-pattern-{number}",
        f"Minimum norm, from the best of {PATTERNS} random patterns, draw {number}",
        "minimum",
        PATTERN_ASCENT_STEPS + RESTART_STEPS - 1,
        PATTERNS + 2,
        PATTERN,
        "1912.00049",
        {
            "steps": RESTART_STEPS,
            "restarts": 1,
            "patterns": PATTERNS,
            "ascent_steps": PATTERN_ASCENT_STEPS,
            "radius_share": share,
        },
    )


ATTACKS: dict[str, Attack] = index_by_name(
    [
        Attack(
            "fmn-untargeted",
            "Minimum norm, untargeted",
            "minimum",
            MARGIN_STEPS,
            2,
            FMN,
            "2102.12827",
            {"steps": MARGIN_STEPS, "restarts": 1},
        ),
        describe_target_run(1),
        describe_target_run(2),
        describe_target_run(3),
        Attack(
            "segment",
            "Minimum norm, from the segment to a sample of another class",
            "minimum",
            MARGIN_STEPS - 1,
            BISECTION_PASSES + 2,
            "Start of the boundary attacks: Brendel et al. 2019, Accurate, reliable and fast robustness evaluation",
            "1907.01003",
            {"steps": MARGIN_STEPS, "restarts": 1, "passes": BISECTION_PASSES, "pool": 512},
        ),
        describe_spread_run("spread-untargeted", "Minimum norm, from signs to gradients, untargeted"),
        *(
            describe_spread_run(
                f"spread-target-{rank}",
                f"Minimum norm, from signs to gradients, towards the class ranked {rank}",
                target_rank=rank,
                noise=0.5,
            )
            for rank in (1, 2, 3)
        ),
        describe_pattern_run(1, 0.7),
        describe_pattern_run(2, 0.9),
        describe_restart(1),
        Attack(
            "ascent-restart",
            "Ascent inside eps, from diversified restarts",
            "witness",
            30,
            0,
            "Tashiro et al. 2020, Diversity Can Be Transferred: Output Diversification for White- and Black-box "
            "Attacks",
            "2003.06878",
            {"restarts": 67, "diverse_steps": 7, "ascent_steps": 23},
        ),
        Attack(
            "precise",
            "Fallback attack: the primary run on precise scores",
            "minimum",
            392,
            243,
            "The same attacks on log-probabilities in float64, or through rounding; verified on the network itself",
            None,
            {"steps": MARGIN_STEPS, "restarts": 1},
        ),
        Attack(
            "transfer",
            "Fallback attack: adversarial examples of another network",
            "minimum",
            0,
            2 * BISECTION_PASSES + 1,
            "Each example is pulled along the segment towards the clean image; one that does not break the network is "
            "first pushed out to eps or, without an eps, to twice its distance",
            None,
            {"steps": 0, "restarts": 1, "passes": BISECTION_PASSES, "reach": 2.0},
        ),
        Attack(
            "hidden",
            "Fallback attack: random squares inside eps, without gradients",
            "witness",
            0,
            6018,
            SQUARE,
            "1912.00049",
            {"queries": 3000, "restarts": 2, "patterns": 8, "p_init": 0.8},
        ),
        Attack(
            SEARCH,
            "Minimum norm, random search around the best",
            "minimum",
            0,
            SEARCH_QUERIES + 2,
            "Squares of Square, Andriushchenko et al. 2020; inside a radius that shrinks with every success",
            "1912.00049",
            {"queries": SEARCH_QUERIES, "restarts": 1, "p_init": 0.1},
        ),
        Attack(
            "apgd-ce",
            "Auto-PGD on the cross-entropy",
            "witness",
            101,
            2,
            AUTOATTACK,
            "2003.01690",
            {"steps": 100, "restarts": 1, "rho": 0.75, "in L1": {"restarts": 5, "radii": [3, 2, 1]}},
        ),
        Attack(
            "apgd-ce-5",
            "Auto-PGD on the cross-entropy, five restarts",
            "witness",
            505,
            2,
            AUTOATTACK,
            "2003.01690",
            {"steps": 100, "restarts": 5, "rho": 0.75},
        ),
        Attack(
            "apgd-dlr-5",
            "Auto-PGD on the DLR loss, five restarts",
            "witness",
            505,
            2,
            AUTOATTACK,
            "2003.01690",
            {"steps": 100, "restarts": 5, "rho": 0.75},
        ),
        Attack(
            # Each of 500 steps differentiates every logit of one forward pass: ten gradients with ten classes.
            "fab-5",
            "Fast adaptive boundary attack, five restarts",
            "witness",
            5000,
            512,
            FAB,
            "1907.02044",
            {"steps": 100, "restarts": 5},
        ),
        Attack(
            "apgd-t",
            "Auto-PGD on the targeted DLR loss",
            "witness",
            909,
            11,
            AUTOATTACK,
            "2003.01690",
            {"steps": 100, "restarts": 1, "targets": 9, "rho": 0.75, "in L1": {"targets": 5, "radii": [3, 2, 1]}},
        ),
        Attack(
            "fab-t",
            "Targeted fast adaptive boundary attack",
            "witness",
            900,
            911,
            FAB,
            "1907.02044",
            {"steps": 100, "restarts": 1, "targets": 9},
        ),
        Attack(
            "square",
            "Square attack",
            "witness",
            0,
            5003,
            SQUARE,
            "1912.00049",
            {"queries": 5000, "restarts": 1, "p_init": 0.8},
        ),
    ]
)
