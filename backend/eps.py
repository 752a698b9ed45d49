"""eps as an exact fraction: read from what people write, shown as what people read."""

import math
from fractions import Fraction

from backend.errors import InvalidRequest

LARGEST_EPS = 1000  # an L2 ball around any image in [0, 1] that is larger than this covers everything


def parse_eps(value: str | float | int | Fraction) -> Fraction:
    """Exact eps from `"8/255"`, `"25.5/255"`, `"0.1"` or a number.

    Raises InvalidRequest for anything that is not a positive finite number up to `LARGEST_EPS`.
    """
    try:
        if isinstance(value, str) and "/" in value:
            over, under = value.split("/")
            eps = Fraction(over.strip()) / Fraction(under.strip())
        elif isinstance(value, float):
            eps = Fraction(repr(value)) if math.isfinite(value) else Fraction(0)
        else:
            eps = Fraction(value.strip()) if isinstance(value, str) else Fraction(value)
    except (ValueError, ZeroDivisionError, TypeError):
        eps = Fraction(0)
    if not 0 < eps <= LARGEST_EPS:
        raise InvalidRequest(f'eps must be a positive number such as "8/255" or 0.1; got {value!r}.', eps=str(value))
    return eps


def eps_text(eps: Fraction | float | str, norm: str) -> str:
    """`8/255` or `25.5/255` for Linf where that is exact to a tenth, otherwise the shortest decimal."""
    eps = parse_eps(eps)
    steps = eps * 255
    if norm == "Linf" and (steps * 10).denominator == 1:
        return f"{float(steps):g}/255"
    if norm == "Linf" and abs(round(steps * 10) / 10 - float(steps)) < 1e-6:
        return f"{float(round(steps * 10) / 10):g}/255"  # 0.03137254901960784 is 8/255 in double precision
    return f"{float(eps):g}"


def canonical_eps(eps: Fraction | float | str, norm: str) -> Fraction:
    """The exact fraction behind `eps_text`, so that 0.03137254901960784 and "8/255" are one eps."""
    return parse_eps(eps_text(eps, norm))
