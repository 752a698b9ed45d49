"""Projected gradient descent in the Linf ball, for training and for the claim on a card.

This is the training tool of Madry et al., 2018, arXiv 1706.06083, kept apart from the attack engine on purpose: the
engine judges the networks, and a judge shares no code with what it judges.

Mode: the attack runs in `eval()` and the caller's mode is restored after it. In training mode each attack step would
push its half-made adversarials into the running statistics of batch normalisation and attack a network (batch
statistics) that nobody deploys. The released adversarial pruning recipes differ here (some attack in training mode),
which changes the adversarials, not the loss that is minimised.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.recipe import TrainingAttack


@contextmanager
def attack_mode(network: nn.Module) -> Iterator[None]:
    """Put `network` in `eval()` with frozen parameters, and put modes and parameters back afterwards.

    Freezing spares the weight gradients, about a third of the backward pass. The mode is kept per module: a network
    with single layers held in `eval()` gets exactly these back.
    """
    was_training = [module for module in network.modules() if module.training]
    was_trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    network.eval()
    for parameter in was_trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for module in was_training:
            module.training = True
        for parameter in was_trainable:
            parameter.requires_grad_(True)


Objective = Callable[[Tensor], Tensor]
"""Logits (B, K) -> the scalar that the attack climbs; a sum over the batch, so that samples do not share a step."""


def find_adversarials(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    eps: float,
    step_size: float,
    steps: int,
    generator: torch.Generator,
) -> Tensor:
    """Maximise the cross-entropy by `steps` signed gradient steps from a uniform random start in the ball.

    Cost: `steps` forward and backward passes per image.

    Args:
        network: float32 images (B, C, H, W) -> logits (B, K).
        images: float32 (B, C, H, W) in [0, 1].
        labels: int64 (B,), 0..K - 1.
        eps: radius of the Linf ball, a pixel distance in [0, 1].
        step_size: pixel distance of one step.
        steps: number of steps, at least 0.
        generator: where the random start comes from, on the device of `images`.

    Returns:
        float32 (B, C, H, W): the last iterate, in [0, 1] and within eps of `images`, adversarial or not.
    """
    noise = torch.rand(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    starts = images + (2.0 * noise - 1.0) * eps

    def objective(logits: Tensor) -> Tensor:
        return functional.cross_entropy(logits, labels, reduction="sum")

    return climb(network, images, starts, TrainingAttack(eps, step_size, steps), objective)


def climb(network: nn.Module, images: Tensor, starts: Tensor, attack: TrainingAttack, objective: Objective) -> Tensor:
    """Take signed gradient steps up `objective` from `starts`, inside the Linf ball around `images` and in [0, 1].

    Cost, shapes and result as in `find_adversarials`; the network is in `eval()` mode meanwhile.
    """
    lower = (images - attack.eps).clamp(min=0.0)
    upper = (images + attack.eps).clamp(max=1.0)
    adversarials = starts.clamp(lower, upper)
    with attack_mode(network):
        for _ in range(attack.steps):
            adversarials.requires_grad_(True)
            (gradients,) = torch.autograd.grad(objective(network(adversarials)), adversarials)
            adversarials = (adversarials.detach() + attack.step_size * gradients.sign()).clamp(lower, upper)
    return adversarials


def check_correct(network: nn.Module, images: Tensor, labels: Tensor, *, batch_size: int = 500) -> Tensor:
    """Give bool (N,): is the clean image classified right, in `eval()` mode?"""
    verdicts = []
    with attack_mode(network), torch.no_grad():
        for part, part_labels in zip(torch.split(images, batch_size), torch.split(labels, batch_size), strict=True):
            verdicts.append(network(part).argmax(dim=1) == part_labels)
    return torch.cat(verdicts)


def check_robust(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    eps: float,
    steps: int,
    seed: int,
    batch_size: int = 500,
    on_batch: Callable[[], None] | None = None,
) -> Tensor:
    """Give bool (N,): right on the clean image and on the last iterate of PGD, one restart, step eps / 4.

    The way adversarial pruning papers measure: an upper bound of the robust accuracy, not a verdict. `on_batch` is
    called after each batch; what it raises ends the measurement.
    """
    generator = torch.Generator(device=images.device).manual_seed(seed)
    verdicts = []
    for part, part_labels in zip(torch.split(images, batch_size), torch.split(labels, batch_size), strict=True):
        adversarials = find_adversarials(
            network, part, part_labels, eps=eps, step_size=eps / 4, steps=steps, generator=generator
        )
        is_clean_right = check_correct(network, part, part_labels, batch_size=batch_size)
        verdicts.append(is_clean_right & check_correct(network, adversarials, part_labels, batch_size=batch_size))
        if on_batch is not None:
            on_batch()
    return torch.cat(verdicts)
