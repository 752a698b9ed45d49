"""Families: a dense checkpoint with everything made from it, across methods and sparsities."""

from backend.services.families.candidates import FamilyCandidate, choose_several, list_candidates
from backend.services.families.grouping import FamilyPlace, list_places
from backend.services.families.service import (
    OWN_METHOD,
    get_family,
    list_families,
)

__all__ = [
    "OWN_METHOD",
    "FamilyCandidate",
    "FamilyPlace",
    "choose_several",
    "get_family",
    "list_candidates",
    "list_families",
    "list_places",
]
