"""The root helper: a small process that does for the unprivileged ones what a provider needs root for, and no more."""
