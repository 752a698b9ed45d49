"""The migrated home of the services' tests: a registration ends in their tables."""

from tests.services.conftest import ready, template

__all__ = ["ready", "template"]
