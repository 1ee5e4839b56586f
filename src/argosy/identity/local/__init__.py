"""A small Keystone-compatible identity service: users, projects, roles, tokens, in the control database."""
