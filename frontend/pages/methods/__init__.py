"""Methods: everything made from one dense checkpoint side by side, and the paper's claims answered for it."""

from frontend.pages.methods.callbacks import register
from frontend.pages.methods.layout import complete, layout

TITLE = "Methods"
KEYS = ("family", "eps", "norm", "method")

__all__ = ["KEYS", "TITLE", "complete", "layout", "register"]
