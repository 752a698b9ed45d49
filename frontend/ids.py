"""Every component id of the dashboard that a callback names: the shell's here, each page's under its own prefix."""

# the shell
URL = "url"
ROUTE = "route"
PAGE_KEYS = "page-keys"
PAGE = "page"
TITLE = "page-title"
ARRIVAL = "arrival"
SEEN = "seen-pair"
THEME = "theme"
THEME_TOGGLE = "theme-toggle"
NOTIFICATIONS = "notifications"
CHANGED = "changed"
JOBS_COUNT = "jobs-count"
RAIL = "rail"
MORE = "rail-more"
KEYS = "keys"

SHIPPED_GO = "shipped-go"
SHIPPED_WORDS = "shipped-words"
SHIPPED_POLL = "shipped-poll"
SHIPPED_DONE = "shipped-done"


def rail(name: str) -> str:
    """Id of a link in the rail."""
    return f"rail-{name}"
