"""Brings the processes of one machine up, keeps them up, takes them down, and says how they are."""
