"""The migrated home of the services' tests: pages are tested on the real services."""

from tests.services.conftest import ready, template

__all__ = ["ready", "template"]
