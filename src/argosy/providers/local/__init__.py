"""Guests on this machine: processes, images and addresses."""
