"""Who is asking: the access token of a program, or the signed cookie of a browser that showed the token once.

There are no users yet: one token (THINICE_TOKEN) opens everything. The cookie is signed with a key made from the token,
so a changed token ends every session, and nothing has to be stored.
"""

import hashlib
import hmac
import secrets

from itsdangerous import TimestampSigner

COOKIE = "thinice_session"
SESSION_SECONDS = 30 * 24 * 3600


def is_token(offered: str, token: str) -> bool:
    """Is this the token? Compares SHA-256 digests in constant time, so neither length nor prefix leaks."""
    digests = [hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).digest() for text in (offered, token)]
    return hmac.compare_digest(*digests)


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer ...` header, None where there is none."""
    scheme, _, offered = (authorization or "").partition(" ")
    return offered.strip() or None if scheme.lower() == "bearer" else None


def new_session(token: str) -> str:
    """Value of a session cookie: nonce, moment and signature, good for 30 days."""
    return make_signer(token).sign(secrets.token_urlsafe(12)).decode()


def is_session(cookie: str | None, token: str) -> bool:
    """Was this cookie made by `new_session` with this token, and is it still good?"""
    signed = (cookie or "").encode("utf-8", errors="replace")
    return make_signer(token).validate(signed, max_age=SESSION_SECONDS)


def make_signer(token: str) -> TimestampSigner:
    """Signs with HMAC-SHA256 under a key made from the token."""
    return TimestampSigner(token, salt="thinice session", key_derivation="hmac", digest_method=hashlib.sha256)
