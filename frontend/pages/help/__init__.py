"""Help: its contents, and the search through all of its pages."""

from frontend.pages.help.callbacks import register
from frontend.pages.help.contents import layout

TITLE = "Help"

__all__ = ["TITLE", "layout", "register"]
