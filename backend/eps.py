"""eps as an exact fraction: read from what people write, shown as what people read."""

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache

from backend.errors import InvalidRequest

LARGEST_EPS = 1000  # an L2 ball around any image in [0, 1] that is larger than this covers everything
LONGEST_TEXT = 40  # characters, the width of the column that keeps it; also bounds the work of reading one
LARGEST_EXPONENT = 12  # of a number in it: "1e10000000" as a fraction would take minutes; a pixel step is 4e-3
WIDEST_DECIMAL = 24  # characters; what is longer reads better as a fraction


def parse_eps(value: str | float | int | Fraction) -> Fraction:
    """Exact eps from `"8/255"`, `"25.5/255"`, `"0.1"` or a number (a double stands for its shortest decimal).

    Raises InvalidRequest for anything that is not a positive finite number up to `LARGEST_EPS`, and for one whose
    exact text has more than `LONGEST_TEXT` characters.
    """
    try:
        eps = _read(value)
    except (ValueError, ZeroDivisionError, TypeError):
        eps = Fraction(0)
    if not 0 < eps <= LARGEST_EPS:
        shown = _show(value)
        raise InvalidRequest(f'eps must be a positive number such as "8/255" or 0.1; got {shown}.', eps=shown)
    if _is_long(eps):
        shown = _show(value)
        raise InvalidRequest(f"eps has too many digits to be kept exactly; got {shown}.", eps=shown)
    return eps


def canonical_eps(eps: Fraction | float | str, norm: str) -> Fraction:
    """The exact eps, except that what is a tenth of 1/255 in double precision is that: 0.03137254901960784 is 8/255.

    It is the same in either norm; `norm` decides how `eps_text` writes it.
    """
    exact = parse_eps(eps)
    nearest = Fraction(round(exact * 2550), 2550)
    return nearest if float(nearest) == float(exact) else exact


def eps_text(eps: Fraction | float | str, norm: str) -> str:
    """The canonical eps as text that `parse_eps` reads back without loss.

    `8/255` or `25.5/255` for Linf where that is exact to a tenth, otherwise a decimal, or a fraction where no decimal
    is exact.
    """
    exact = canonical_eps(eps, norm)
    tenths = exact * 2550
    if norm != "Linf" or tenths.denominator != 1:
        return _write(exact)
    whole, tenth = divmod(tenths.numerator, 10)
    return f"{whole}.{tenth}/255" if tenth else f"{whole}/255"


def check_eps(eps: Fraction | float | str, norm: str, dimensions: int) -> None:
    """Refuse an eps beyond which no two images lie: 1 in Linf, `dimensions` (numbers a sample) in L1, its root in L2.

    Raises:
        InvalidRequest: it is larger, or no eps at all.
    """
    exact = canonical_eps(eps, norm)
    if norm == "Linf" and exact > 1:
        raise InvalidRequest(
            f"eps {eps_text(exact, norm)} is more than 1: in Linf no two images are that far apart.",
            eps=eps_text(exact, norm),
            largest=1.0,
        )
    largest = {"Linf": 1, "L1": dimensions, "L2": dimensions**0.5}[norm]
    if exact > largest:
        raise InvalidRequest(
            f"eps {eps_text(exact, norm)} is more than {largest:.6g}: in {norm} no two images of {dimensions:,} "
            "numbers are that far apart.",
            eps=eps_text(exact, norm),
            largest=largest,
        )


def _read(value: str | float | int | Fraction) -> Fraction:
    if isinstance(value, int | Fraction):
        return Fraction(value)
    return _read_text(value.strip() if isinstance(value, str) else repr(value))


@lru_cache(maxsize=256)
def _read_text(text: str) -> Fraction:
    """Kept, because a page reads the few that its evaluations have thousands of times."""
    if len(text) > LONGEST_TEXT:
        raise ValueError("too long")
    over, slash, under = text.partition("/")
    return _read_number(over) / _read_number(under) if slash else _read_number(over)


def _read_number(text: str) -> Fraction:
    """A decimal; its exponent is looked at before any of its digits are written out."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number") from error
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ValueError(f"{text!r} is out of range")
    return Fraction(number)


@lru_cache(maxsize=256)
def _is_long(eps: Fraction) -> bool:
    return len(_write(eps)) > LONGEST_TEXT


def _write(eps: Fraction) -> str:
    """Exact text: a decimal where there is one that is not long, otherwise numerator and denominator."""
    fraction, digits = f"{eps.numerator}/{eps.denominator}", _count_decimals(eps.denominator)
    if digits is None or digits > LONGEST_TEXT:
        return fraction
    scaled = str(eps.numerator * 10**digits // eps.denominator).rjust(digits + 1, "0")
    decimal = f"{scaled[:-digits]}.{scaled[-digits:]}" if digits else scaled
    return decimal if len(decimal) <= max(WIDEST_DECIMAL, len(fraction)) else fraction


def _count_decimals(denominator: int) -> int | None:
    """Digits behind the point; None where the decimal never ends."""
    counts = []
    for prime in (2, 5):
        count = 0
        while denominator % prime == 0:
            denominator, count = denominator // prime, count + 1
        counts.append(count)
    return max(counts) if denominator == 1 else None


def _show(value: object) -> str:
    """What was given, short enough for a message."""
    if isinstance(value, int) and abs(value) > LARGEST_EPS:
        return f"a whole number beyond {LARGEST_EPS}"  # Python refuses to write out very long ones
    shown = repr(value)
    return shown if len(shown) <= LONGEST_TEXT + 2 else f"{shown[:LONGEST_TEXT]}..."
