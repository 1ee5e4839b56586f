"""Python library over the REST API. It knows nothing of what is behind it."""
