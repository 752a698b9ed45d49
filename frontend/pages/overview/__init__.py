"""Overview: what this server holds, and what is left of every claim after a re-evaluation."""

from frontend.pages.overview.callbacks import register
from frontend.pages.overview.layout import layout

TITLE = "Overview"

__all__ = ["TITLE", "layout", "register"]
