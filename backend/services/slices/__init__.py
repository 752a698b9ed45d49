"""Boundary slices: the classes of both networks of a pair on a plane through one sample."""

from backend.services.slices.service import get_slice, queue_slice, read_slice

__all__ = ["get_slice", "queue_slice", "read_slice"]
