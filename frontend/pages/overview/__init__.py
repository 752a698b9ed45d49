"""Overview: what pruning loses on the most telling pair, what this server holds, and what is left of its claims."""

from frontend.pages.overview.callbacks import register
from frontend.pages.overview.layout import layout

TITLE = "Overview"

__all__ = ["TITLE", "layout", "register"]
