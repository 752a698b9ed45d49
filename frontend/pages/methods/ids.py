"""The page's component ids, all under one prefix."""

PANELS = "methods-panels"
PANEL = "methods-panel"
EPS = "methods-eps"
METHOD = "methods-method"
PAGE = "methods-page"
POLL = "methods-poll"
QUERY = "methods-query"
