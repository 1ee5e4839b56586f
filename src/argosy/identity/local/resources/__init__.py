"""One file per resource of the identity service."""
