"""Signed cookies: only ours, only with the present token, only for a while."""

import pytest

from backend.api.sessions import SESSION_SECONDS, bearer_token, is_session, is_token, new_session

TOKEN = "correct-horse-battery"


def test_session_is_good_until_it_expires() -> None:
    cookie = new_session(TOKEN, now=1000)
    assert is_session(cookie, TOKEN, now=1000 + SESSION_SECONDS - 1)
    assert not is_session(cookie, TOKEN, now=1000 + SESSION_SECONDS)


def test_session_ends_with_the_token_that_made_it() -> None:
    assert not is_session(new_session(TOKEN), TOKEN + "2")


def test_session_with_a_later_expiry_is_no_session() -> None:
    expiry, nonce, signature = new_session(TOKEN, now=1000).split(".")
    assert not is_session(f"{int(expiry) + 999999}.{nonce}.{signature}", TOKEN, now=1000)


@pytest.mark.parametrize("cookie", [None, "", ".", "..", "a.b.c", "9999999999.x.", "é.ü.ö", "²." * 3])
def test_session_made_of_anything_else_is_no_session(cookie: str | None) -> None:
    assert not is_session(cookie, TOKEN)


def test_sessions_differ() -> None:
    assert new_session(TOKEN, now=1) != new_session(TOKEN, now=1)


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
