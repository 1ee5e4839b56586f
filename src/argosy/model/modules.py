"""Modules: what there is of them, and who may do what with one."""

from __future__ import annotations

MODULE_TYPES = ("new_relic_license", "ping")
"""that agents of this release know (agent/modules.py)"""
LONGEST_CONTENTS = 65_536
"""characters of base64"""
AT_ONCE = 180_000
"""characters that fit into one message to a guest"""
