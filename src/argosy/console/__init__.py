"""The web console: pages for people, drawn here, over the public API that every other client uses."""
