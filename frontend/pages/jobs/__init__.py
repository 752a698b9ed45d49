"""Jobs: what runs, what waits, what ended and how; and the whole record of one evaluation."""

from frontend.pages.jobs.callbacks import register
from frontend.pages.jobs.layout import layout

PATH = "/jobs"
TITLE = "Jobs"
KEYS = ("evaluation", "checkpoint", "new", "preset", "n")

__all__ = ["KEYS", "PATH", "TITLE", "layout", "register"]
