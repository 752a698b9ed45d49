"""A preset added by the recipe of `backend/attacks/presets/__init__.py`, so that CI executes the recipe."""
