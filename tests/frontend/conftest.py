"""The migrated home of the services' tests: pages are tested on the real services."""

from tests.frontend.pairs import made_pair
from tests.services.conftest import ready, template

__all__ = ["made_pair", "ready", "template"]
