"""Named pipes that the engine writes its logs to. Somebody must have them open whenever it opens them, else it gives up
that log; the agent, who reads them, may be away.
"""

from __future__ import annotations

import os

SUFFIX = ".pipe"


class Pipes:
    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def hold(self) -> None:
        """Those that have come into being; what is written and not read goes when they are full."""
        for name in os.listdir("."):  # noqa: PTH208 - pathlib costs init a third of its memory
            if name.endswith(SUFFIX) and name not in self._held:
                self._held[name] = os.open(name, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
