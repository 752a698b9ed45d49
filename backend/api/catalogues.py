"""What this version knows: architectures, attacks and presets, reliability flags."""

from fastapi import APIRouter

from backend.schemas import Page
from backend.schemas.catalogues import ArchitecturePage, AttackPage, FlagOut
from backend.services import catalogues

router = APIRouter(tags=["catalogues"])


@router.get("/architectures", summary="Architectures that checkpoints can be loaded into")
def get_architectures() -> ArchitecturePage:
    return catalogues.list_architectures()


@router.get("/attacks", summary="Attacks and presets, with their parameters")
def get_attacks() -> AttackPage:
    return catalogues.list_attacks()


@router.get("/flags", summary="Reliability flags: when they are raised, what they mean, what to do")
def get_flags() -> Page[FlagOut]:
    return catalogues.list_flags()
