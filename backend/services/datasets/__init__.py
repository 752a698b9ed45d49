"""Data sets: built in, uploaded, downloaded."""

from backend.services.datasets.service import (
    add_dataset,
    delete_dataset,
    find_dataset,
    get_dataset,
    list_datasets,
    load_samples,
    make_slug,
    patch_dataset,
    sample_pixels,
    sample_png,
)

__all__ = [
    "add_dataset",
    "delete_dataset",
    "find_dataset",
    "get_dataset",
    "list_datasets",
    "load_samples",
    "make_slug",
    "patch_dataset",
    "sample_pixels",
    "sample_png",
]
