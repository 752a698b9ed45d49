"""Signed cookies: only ours, only with the present token, only for a while."""

import time

import pytest
from itsdangerous import TimestampSigner

from backend.api.sessions import SESSION_SECONDS, bearer_token, is_session, is_token, make_signer, new_session

TOKEN = "correct-horse-battery"


def make_session(token: str, *, seconds_ago: int) -> str:
    """A cookie that was made some time ago."""
    signer = make_signer(token)
    signer.get_timestamp = lambda: int(time.time()) - seconds_ago
    return signer.sign("nonce").decode()


def test_session_is_good_until_it_expires() -> None:
    assert is_session(new_session(TOKEN), TOKEN)
    assert is_session(make_session(TOKEN, seconds_ago=SESSION_SECONDS - 60), TOKEN)
    assert not is_session(make_session(TOKEN, seconds_ago=SESSION_SECONDS + 1), TOKEN)


def test_session_of_the_future_is_no_session() -> None:
    assert not is_session(make_session(TOKEN, seconds_ago=-60), TOKEN)


def test_session_ends_with_the_token_that_made_it() -> None:
    assert not is_session(new_session(TOKEN), TOKEN + "2")


def test_session_with_a_later_moment_is_no_session() -> None:
    nonce, _, signature = make_session(TOKEN, seconds_ago=SESSION_SECONDS + 1).split(".")
    _, moment, _ = new_session(TOKEN).split(".")
    assert not is_session(f"{nonce}.{moment}.{signature}", TOKEN)


def test_session_signed_for_another_purpose_is_no_session() -> None:
    assert not is_session(TimestampSigner(TOKEN).sign("nonce").decode(), TOKEN)


@pytest.mark.parametrize(
    "cookie",
    [None, "", ".", "..", "a.b.c", "9999999999.x.", "é.ü.ö", "²." * 3, "\udcff", "a" * 5000, f"a.{'_' * 20}.x"],
)
def test_session_made_of_anything_else_is_no_session(cookie: str | None) -> None:
    assert not is_session(cookie, TOKEN)


def test_sessions_differ() -> None:
    assert new_session(TOKEN) != new_session(TOKEN)


@pytest.mark.parametrize(
    ("offered", "right"), [(TOKEN, True), (TOKEN[:-1], False), (TOKEN + "x", False), ("", False), ("\udcff", False)]
)
def test_is_token_takes_the_whole_token_only(offered: str, right: bool) -> None:
    assert is_token(offered, TOKEN) is right


@pytest.mark.parametrize(
    ("header", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer ", None), (None, None)],
)
def test_bearer_token_reads_the_header(header: str | None, token: str | None) -> None:
    assert bearer_token(header) == token
