"""Claims: what every checkpoint claims, what a re-evaluation leaves of it, and whether its relatives do better."""

from frontend.pages.claims.layout import layout

TITLE = "Claims"
KEYS = ("preset",)

__all__ = ["KEYS", "TITLE", "layout"]
