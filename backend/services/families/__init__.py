"""Families: a dense checkpoint with everything made from it, across methods and sparsities."""

from backend.services.families.service import (
    OWN_METHOD,
    get_family,
    list_families,
)

__all__ = [
    "OWN_METHOD",
    "get_family",
    "list_families",
]
