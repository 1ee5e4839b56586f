"""One folder per place where guests can run."""
