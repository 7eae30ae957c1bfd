"""Run by alembic: migrate on the connection that the caller holds, inside its transaction."""

from alembic import context

from bisector.adapters.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
