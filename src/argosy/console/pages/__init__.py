"""One page is one file."""
