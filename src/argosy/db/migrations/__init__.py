"""The history of the control database's schema, forward only. `argosy.db.migrate` walks it."""
