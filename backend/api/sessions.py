"""Who is asking: the access token of a program, or the signed cookie of a browser that showed the token once.

There are no users yet: one token (THINICE_TOKEN) opens everything. The cookie is signed with a key made from the token,
so a changed token ends every session, and nothing has to be stored.
"""

import hashlib
import hmac
import secrets
import time

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


def new_session(token: str, now: float | None = None) -> str:
    """Value of a session cookie: `expiry.nonce.signature`, good for 30 days."""
    expiry = int(time.time() if now is None else now) + SESSION_SECONDS
    claim = f"{expiry}.{secrets.token_urlsafe(12)}"
    return f"{claim}.{_signature(claim, token)}"


def is_session(cookie: str | None, token: str, now: float | None = None) -> bool:
    """Was this cookie made by `new_session` with this token, and is it still good?"""
    claim, _, signature = (cookie or "").rpartition(".")
    if not hmac.compare_digest(signature.encode("utf-8"), _signature(claim, token).encode("utf-8")):
        return False
    expiry = claim.partition(".")[0]
    return expiry.isdigit() and int(expiry) > (time.time() if now is None else now)


def _signature(claim: str, token: str) -> str:
    key = hashlib.sha256(b"thinice session\x00" + token.encode("utf-8")).digest()
    return hmac.new(key, claim.encode("utf-8", errors="replace"), hashlib.sha256).hexdigest()
