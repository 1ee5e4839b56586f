"""Links: the real scheme and host of the request, or the public endpoint of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode


@dataclass(frozen=True)
class Links:
    base: str
    """scheme and host, without a slash at the end"""
    project: str = ""
    path: str = ""
    """of the request, without its query"""

    def of(self, collection: str, name: str) -> list[dict[str, str]]:
        """`self` and `bookmark`, in that order."""
        return [
            {"href": f"{self.base}/v1.0/{quote(self.project)}/{collection}/{name}", "rel": "self"},
            {"href": f"{self.base}/{collection}/{name}", "rel": "bookmark"},
        ]

    def next(self, query: Mapping[str, Any], **changed: Any) -> list[dict[str, str]]:
        """The next page: this request with other paging parameters, all others kept."""
        return [{"rel": "next", "href": f"{self.base}{quote(self.path)}?{urlencode({**query, **changed})}"}]
