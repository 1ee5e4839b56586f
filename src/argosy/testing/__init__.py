"""Shipped for people who write engines, providers and stores: contracts, crash harness, real servers."""
