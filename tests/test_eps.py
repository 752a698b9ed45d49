"""eps is exact: what is written is what is read, in both norms, and no text can keep the reader busy."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.eps import LONGEST_TEXT, canonical_eps, check_eps, eps_text, parse_eps
from backend.errors import InvalidRequest

NORMS = st.sampled_from(["Linf", "L2"])
NUMBERS = st.one_of(
    st.builds(Fraction, st.integers(1, 10**6), st.integers(1000, 10**9)),
    st.builds(lambda over, under: f"{over}/{under}", st.integers(1, 10**9), st.integers(10**6, 10**12)),
    st.builds(lambda tenths: f"{tenths / 10}/255", st.integers(1, 9999)),
    st.decimals("1e-9", "999", places=9).map(str),
    st.floats(1e-6, 999.0),
)


@given(NUMBERS, NORMS)
def test_eps_text_reads_back_as_the_canonical_eps(value: Fraction | str | float, norm: str) -> None:
    canonical = canonical_eps(value, norm)
    text = eps_text(value, norm)
    assert parse_eps(text) == canonical
    assert (canonical_eps(text, norm), eps_text(text, norm)) == (canonical, text)
    assert len(text) <= LONGEST_TEXT
    assert math.isclose(float(canonical), float(parse_eps(value)), rel_tol=1e-15)


@given(st.integers(1, 2550), NORMS)
def test_eps_of_a_double_is_the_tenth_of_a_step_that_it_stands_for(tenths: int, norm: str) -> None:
    assert canonical_eps(tenths / 2550, norm) == Fraction(tenths, 2550)
    assert canonical_eps(repr(tenths / 2550), norm) == Fraction(tenths, 2550)


@pytest.mark.parametrize(
    ("value", "norm", "text"),
    [
        ("0.1", "Linf", "25.5/255"),
        (0.1, "Linf", "25.5/255"),
        ("8/255", "Linf", "8/255"),
        (8 / 255, "Linf", "8/255"),
        ("16/510", "Linf", "8/255"),
        ("255/255", "Linf", "255/255"),
        ("1/3", "Linf", "85/255"),
        ("1/7", "Linf", "1/7"),
        ("0.0123", "Linf", "0.0123"),
        ("128/255", "L2", "128/255"),
        (128 / 255, "L2", "128/255"),
        ("1/3", "L2", "1/3"),
        ("1.5/0.9", "L2", "5/3"),
        ("0.5", "L2", "0.5"),
        (0.05, "L2", "0.05"),
        (" 2 ", "L2", "2"),
        ("1e-3", "L2", "0.001"),
        ("0.12345678", "L2", "0.12345678"),
    ],
)
def test_eps_text_is_what_people_write(value: str | float, norm: str, text: str) -> None:
    assert eps_text(value, norm) == text


@pytest.mark.parametrize(
    "value",
    [
        "1e10000000",
        "1e-10000000",
        "1/1e10000000",
        "0e10000000",
        "9" * 5000,
        "0." + "1" * 40,
        10**6000,
        -(10**6000),
        Fraction(10**50 + 1, 10**50),
        5e-324,
        math.inf,
        -math.inf,
        math.nan,
        "nan",
        "inf",
        "1/0",
        "1/2/3",
        "/",
        "",
        "eight",
        "0",
        "-1",
        1000.5,
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_parse_eps_refuses_what_is_no_eps(value: str | float) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_eps(value)
    assert len(refused.value.message) < 200


def test_check_eps_refuses_a_ball_around_every_image() -> None:
    check_eps("1", "Linf", 784)
    check_eps("28", "L2", 784)
    check_eps("1.5", "L2", 784)
    for eps, norm in (("1.5", "Linf"), ("256/255", "Linf"), ("28.0001", "L2")):
        with pytest.raises(InvalidRequest, match="no two images"):
            check_eps(eps, norm, 784)
