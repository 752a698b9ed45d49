"""Alembic's entry: migrates through the engine that `database.migrate` hands over, in one transaction."""

from alembic import context

from backend.store.database import get_engine
from backend.store.tables import Table

engine = context.config.attributes.get("engine") or get_engine()
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
