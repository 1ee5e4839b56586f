"""Nouns without input and output: frozen dataclasses, closed sets, pure functions."""
