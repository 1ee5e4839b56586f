"""One folder per datastore. `__init__` of each is data; the rest is loaded by the agent, by name."""
