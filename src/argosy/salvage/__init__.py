"""`argosy-restore`: backups from the store and the master key alone, on any machine, without a control database."""
