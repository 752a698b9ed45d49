"""Margins next to exact ones: small ReLU networks on 8 x 8 digits, solved by mixed-integer programming."""

import numpy as np
from numpy.typing import NDArray

from backend import attacks
from tests.attacks.digit_networks import SHAPE, pick_right, train_digits
from tests.attacks.milp_oracle import read_layers, solve_linf

# Network and the eps that it was trained at; "deep" is narrow, the hardest of them.
NETWORKS = (("shallow", 0.0), ("shallow", 0.1), ("deep", 0.0), ("deep", 0.1), ("convolutional", 0.0))


def measure_exact(name: str, eps: float, count: int) -> NDArray[np.float64]:
    """Linf margins over proven lower bounds of the exact ones, (count,); below 1 is an error somewhere."""
    network = train_digits(name, eps=eps)
    images, labels = pick_right(network, count)
    layers = read_layers(network, SHAPE)
    points = images.double().flatten(1).numpy()
    lower = [solve_linf(layers, point, label).lower for point, label in zip(points, labels.tolist(), strict=True)]
    margins: NDArray[np.float64] = attacks.run("margin", network, images, labels).distance.double().numpy()
    return margins / np.array(lower)
