"""Restored layers: which layer of the parent gives a pruned network its lost samples back."""

from backend.services.layers.service import find_layers, get_layers, queue_layers

__all__ = ["find_layers", "get_layers", "queue_layers"]
