"""Bundles: finished evaluations as one file, to look at elsewhere."""

from backend.services.bundles.reading import import_bundle, preview_bundle
from backend.services.bundles.writing import export_bundle, export_file

__all__ = ["export_bundle", "export_file", "import_bundle", "preview_bundle"]
