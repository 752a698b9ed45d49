"""Upload: a checkpoint or a data set; and what a checkpoint is, what is odd about it, what it is compared with."""

from frontend.pages.upload.callbacks import register
from frontend.pages.upload.layout import layout

TITLE = "Upload"
KEYS = ("kind", "checkpoint", "dataset")

__all__ = ["KEYS", "TITLE", "layout", "register"]
