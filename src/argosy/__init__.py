"""Argosy: the open, self-hosted RDS."""

__version__ = "0.1.0"
