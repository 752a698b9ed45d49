"""The rows of `toy-pgd`: what catalogues, pages and commands say of it. Data only: no torch here."""

from backend.attacks.catalogue import Attack, Preset

STEPS = 40

ATTACK = Attack(
    name="toy-pgd",
    title="Projected gradient descent",
    kind="witness",
    gradients=STEPS,
    forwards=2,
    reference="Madry et al. 2018, Towards Deep Learning Models Resistant to Adversarial Attacks",
    arxiv="1706.06083",
    parameters={"steps": STEPS},
)
PRESET = Preset(
    name="toy-pgd",
    title="PGD, 40 steps",
    short_title="PGD-40",
    description="A verdict at one eps by plain gradient descent. Weak: what it leaves standing may break.",
    promises="verdict",
    rank=0,
    runs="tests.attacks.toy_preset.pgd:attack_toy",
    norms=("Linf", "L2"),
    attacks=("toy-pgd",),
    parameters={"steps": STEPS},
)
