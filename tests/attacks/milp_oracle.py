"""Exact margins of small ReLU networks, in float64 NumPy and SciPy; shares no code with the attacks.

Linf: mixed-integer programming (Tjeng et al. 2019, Evaluating Robustness of Neural Networks with Mixed Integer
Programming, arXiv 1711.07356), solved by HiGHS. Each ReLU that can be on or off within the radius known to be enough
is one binary variable; its big-M constants are interval bounds over the box within that radius.
L2: one hidden layer. Within one pattern of active units the network is linear and the nearest point of a polytope is a
least-distance problem, which non-negative least squares solves (Lawson and Hanson 1974, Solving Least Squares
Problems, chapter 23); the patterns are enumerated.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp, nnls
from scipy.sparse import coo_array
from torch import nn

Array = NDArray[np.float64]
Layers = list[tuple[Array, Array]]

OPTIMAL, INFEASIBLE = 0, 2
ROOM = 1e-4  # the radius searched is that much wider than the known one, so that rounding excludes no known point
RELATIVE_GAP = 1e-7
ASCENT_STEPS, HALVINGS = 30, 12


@dataclass(frozen=True)
class Exact:
    """What is proven of one margin: no point nearer than `lower` loses the label, and `point` at `upper` does."""

    lower: float
    upper: float
    point: Array


def unroll_convolution(
    convolution: nn.Conv2d, shape: tuple[int, int, int]
) -> tuple[Array, Array, tuple[int, int, int]]:
    """A convolution of one group and dilation 1 as a dense matrix over flat images (C, H, W), with its output shape."""
    kernel = convolution.weight.detach().double().numpy()
    channels, height, width = shape
    outputs, _, rows, columns = kernel.shape
    (down, right), (top, left) = convolution.stride, convolution.padding
    out_height, out_width = (height + 2 * top - rows) // down + 1, (width + 2 * left - columns) // right + 1
    matrix = np.zeros((outputs, out_height, out_width, channels, height, width))
    for i, j, k, m in itertools.product(range(out_height), range(out_width), range(rows), range(columns)):
        row, column = i * down + k - top, j * right + m - left
        if 0 <= row < height and 0 <= column < width:
            matrix[:, i, j, :, row, column] += kernel[:, :, k, m]
    bias = np.zeros(outputs) if convolution.bias is None else convolution.bias.detach().double().numpy()
    size = outputs * out_height * out_width
    return matrix.reshape(size, -1), np.repeat(bias, out_height * out_width), (outputs, out_height, out_width)


def read_layers(network: nn.Sequential, shape: tuple[int, int, int]) -> Layers:
    """Weights (out, in) and biases (out,) of linear layers and convolutions, with a ReLU after each but the last."""
    layers: Layers = []
    for module in network:
        if isinstance(module, nn.Linear):
            layers.append((module.weight.detach().double().numpy(), module.bias.detach().double().numpy()))
        elif isinstance(module, nn.Conv2d):
            matrix, bias, shape = unroll_convolution(module, shape)
            layers.append((matrix, bias))
        else:
            assert isinstance(module, nn.Flatten | nn.ReLU), f"no rule for a {type(module).__name__}"
    return layers


def answer(layers: Layers, point: Array) -> Array:
    """Logits (K,) of one flat image."""
    values = point
    for matrix, bias in layers[:-1]:
        values = np.maximum(matrix @ values + bias, 0.0)
    return layers[-1][0] @ values + layers[-1][1]


def differentiate(layers: Layers, point: Array, label: int, target: int) -> tuple[float, Array]:
    """Logit of the target minus that of the label, and its gradient in the flat image."""
    values, active = point, []
    for matrix, bias in layers[:-1]:
        values = matrix @ values + bias
        active.append(values > 0)
        values = np.maximum(values, 0.0)
    matrix, bias = layers[-1]
    slope = matrix[target] - matrix[label]
    lead = float(slope @ values + bias[target] - bias[label])
    for (matrix, _), is_on in zip(layers[-2::-1], active[::-1], strict=True):
        slope = (slope * is_on) @ matrix
    return lead, slope


def ascend(layers: Layers, point: Array, label: int, target: int, radius: float) -> bool:
    """Whether a few signed gradient steps within `radius` make the target win against the label."""
    low, high = np.clip(point - radius, 0.0, 1.0), np.clip(point + radius, 0.0, 1.0)
    moved = point
    for step in range(ASCENT_STEPS):
        lead, slope = differentiate(layers, moved, label, target)
        if lead >= 0:
            return True
        moved = np.clip(moved + 2 * radius * (1 - step / ASCENT_STEPS) * np.sign(slope), low, high)
    return differentiate(layers, moved, label, target)[0] >= 0


def bound_from_above(layers: Layers, point: Array, label: int, target: int) -> float:
    """A radius within which the target is reached, by bisection over `ascend`; inf where it is reached nowhere."""
    if not ascend(layers, point, label, target, 1.0):
        return np.inf
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if ascend(layers, point, label, target, middle) else (middle, high)
    return high


def bound_units(layers: Layers, low: Array, high: Array) -> list[tuple[Array, Array]]:
    """Interval bounds of every layer's values before the ReLU, over a box of flat images."""
    bounds = []
    for matrix, bias in layers:
        positive, negative = np.maximum(matrix, 0.0), np.minimum(matrix, 0.0)
        below, above = positive @ low + negative @ high + bias, positive @ high + negative @ low + bias
        bounds.append((below, above))
        low, high = np.maximum(below, 0.0), np.maximum(above, 0.0)
    return bounds


class Program:
    """Rows of a mixed-integer program over pixels, hidden units, binaries of the undecided units and the radius."""

    def __init__(self, layers: Layers, point: Array, limit: float) -> None:
        self.layers, self.size = layers, len(point)
        low, high = np.clip(point - limit, 0.0, 1.0), np.clip(point + limit, 0.0, 1.0)
        self.bounds = bound_units(layers, low, high)
        widths = [self.size, *(len(bias) for _, bias in layers[:-1])]
        self.starts = np.concatenate([[0], np.cumsum(widths)])
        undecided = sum(int(((below < 0) & (above > 0)).sum()) for below, above in self.bounds[:-1])
        self.binaries = int(self.starts[-1])
        self.radius = self.binaries + undecided
        self.low, self.high = np.zeros(self.radius + 1), np.full(self.radius + 1, np.inf)
        self.low[: self.size], self.high[: self.size] = low, high
        self.high[self.binaries :] = 1.0
        self.high[self.radius] = limit
        self.entries: list[tuple[int, int, float]] = []
        self.limits: list[tuple[float, float]] = []
        for pixel, value in enumerate(point):
            self.add({pixel: 1.0, self.radius: -1.0}, -np.inf, value)
            self.add({pixel: 1.0, self.radius: 1.0}, value, np.inf)
        self.add_units()

    def add(self, row: dict[int, float], low: float, high: float) -> None:
        """Add low <= row @ variables <= high."""
        self.entries += [(len(self.limits), column, value) for column, value in row.items() if value != 0.0]
        self.limits.append((low, high))

    def weigh(self, layer: int, slope: Array) -> dict[int, float]:
        """The row that multiplies the input of a layer with `slope`."""
        return {int(self.starts[layer]) + place: -value for place, value in enumerate(slope)}

    def add_units(self) -> None:
        """unit = max(0, slope @ input + bias), with one binary where both cases are possible."""
        binary = self.binaries
        for layer, (matrix, bias) in enumerate(self.layers[:-1]):
            for unit, (slope, offset) in enumerate(zip(matrix, bias, strict=True)):
                column = int(self.starts[layer + 1]) + unit
                below, above = (float(side[unit]) for side in self.bounds[layer])
                row = {column: 1.0, **self.weigh(layer, slope)}
                if above <= 0:
                    self.high[column] = 0.0
                elif below >= 0:
                    self.add(row, offset, offset)
                else:
                    self.add(row, offset, np.inf)
                    self.add({**row, binary: -below}, -np.inf, offset - below)
                    self.add({column: 1.0, binary: -above}, -np.inf, 0.0)
                    binary += 1

    def can_win(self, label: int, target: int) -> bool:
        """Whether the interval bounds leave the target a chance against the label."""
        matrix, bias = self.layers[-1]
        slope = matrix[target] - matrix[label]
        below, above = (np.maximum(side, 0.0) for side in self.bounds[-2])
        return bool(np.where(slope > 0, slope * above, slope * below).sum() + bias[target] - bias[label] >= 0)

    def solve(self, label: int, target: int) -> tuple[float, float, Array] | None:
        """Smallest radius at which the target wins: proven bound, value reached, flat image; None beyond the limit."""
        matrix, bias = self.layers[-1]
        row = {
            column: -value for column, value in self.weigh(len(self.layers) - 1, matrix[target] - matrix[label]).items()
        }
        entries = self.entries + [(len(self.limits), column, value) for column, value in row.items()]
        low, high = np.array([*self.limits, (bias[label] - bias[target], np.inf)]).T
        rows, columns, values = zip(*entries, strict=True)
        cost = np.zeros(self.radius + 1)
        cost[self.radius] = 1.0
        integrality = np.zeros(self.radius + 1)
        integrality[self.binaries : self.radius] = 1
        solution = milp(
            cost,
            integrality=integrality,
            bounds=Bounds(self.low, self.high),
            constraints=LinearConstraint(
                coo_array((values, (rows, columns)), shape=(len(low), len(cost))).tocsr(), low, high
            ),
            options={"mip_rel_gap": RELATIVE_GAP},
        )
        if solution.status == INFEASIBLE:
            return None
        assert solution.status == OPTIMAL, solution.message
        # Without binaries it is a linear program, whose optimum is its own bound.
        proven = solution.fun if solution.mip_dual_bound is None else solution.mip_dual_bound
        return float(proven), float(solution.fun), solution.x[: self.size]


def solve_linf(layers: Layers, point: Array, label: int) -> Exact:
    """Exact Linf margin of one flat image that is classified as `label`; inf where the whole box is not enough.

    The proven bound is a float64 number of the solver's tolerances: 1e-6 in feasibility.
    """
    others = [target for target in range(len(layers[-1][1])) if target != label]
    reached = {target: bound_from_above(layers, point, label, target) for target in others}
    limit = min(min(reached.values()) * (1 + ROOM), 1.0)
    best = Exact(np.inf, np.inf, point)
    lower = np.inf
    for target in sorted(others, key=lambda other: reached[other]):
        program = Program(layers, point, limit)
        solution = program.solve(label, target) if program.can_win(label, target) else None
        if solution is None:
            lower = min(lower, limit if limit < 1.0 else np.inf)
        else:
            lower = min(lower, solution[0])
            if solution[1] < best.upper:
                best = Exact(solution[0], solution[1], solution[2])
                limit = min(solution[1] * (1 + ROOM), limit)
    return Exact(min(lower, best.upper), best.upper, best.point)


def find_least_distance(rows: Array, limits: Array) -> Array | None:
    """The shortest d with rows @ d >= limits, None where there is none; the least-distance problem by NNLS."""
    size = rows.shape[1]
    multipliers, _ = nnls(np.vstack([rows.T, limits]), np.eye(size + 1)[size])
    rest = np.append(rows.T @ multipliers, limits @ multipliers - 1.0)
    if np.linalg.norm(rest) < 1e-7:
        return None
    shortest: Array = -rest[:size] / rest[size]
    return shortest


def solve_l2(layers: Layers, point: Array, label: int, limit: float) -> Exact:
    """Exact L2 margin of one flat image within the radius `limit`, for one hidden layer; inf where it is larger."""
    (matrix, bias), (out, out_bias) = layers
    values = matrix @ point + bias
    undecided = np.flatnonzero(np.abs(values) <= limit * np.linalg.norm(matrix, axis=1))
    best = Exact(limit, np.inf, point)
    box = np.vstack([np.eye(len(point)), -np.eye(len(point))]), np.concatenate([-point, point - 1.0])
    for states in itertools.product([False, True], repeat=len(undecided)):
        is_on = values > 0
        is_on[undecided] = states
        sides = np.where(is_on[undecided], 1.0, -1.0)
        for target in range(len(out_bias)):
            slope = (out[target] - out[label]) * is_on
            lead = slope @ values + out_bias[target] - out_bias[label]
            if target == label or lead + limit * np.linalg.norm(slope @ matrix) < 0:
                continue
            rows = np.vstack([slope @ matrix, sides[:, None] * matrix[undecided], box[0]])
            step = find_least_distance(rows, np.concatenate([[-lead], -sides * values[undecided], box[1]]))
            if step is not None and np.linalg.norm(step) < best.upper:
                length = float(np.linalg.norm(step))
                best = Exact(min(length, limit), length, point + step)
    return best
