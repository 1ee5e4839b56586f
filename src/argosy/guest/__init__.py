"""The control plane's side of talking to guests."""
