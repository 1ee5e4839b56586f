"""How many requests were answered, how, and how fast: counted in this process, read by GET /metrics."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from argosy.model.metrics import REQUESTS, Sample

BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds."""


@dataclass
class Tally:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0


class Measures:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str, str], Tally] = {}
        self._lock = threading.Lock()

    def answered(self, method: str, route: str, status: str, seconds: float) -> None:
        bucket = sum(seconds > bound for bound in BUCKETS)
        with self._lock:
            tally = self._tallies.setdefault((method, route, status), Tally())
            tally.counts[bucket] += 1
            tally.seconds += seconds

    def samples(self) -> Iterator[Sample]:
        with self._lock:
            seen = {key: Tally(list(tally.counts), tally.seconds) for key, tally in sorted(self._tallies.items())}
        for key, tally in seen.items():
            labels = dict(zip(REQUESTS.labels, key, strict=True))
            bounds = (*map(str, BUCKETS), "+Inf")
            for bound, count in zip(bounds, accumulate(tally.counts), strict=True):
                yield Sample(REQUESTS, count, {**labels, "le": bound}, "_bucket")
            yield Sample(REQUESTS, tally.seconds, labels, "_sum")
            yield Sample(REQUESTS, sum(tally.counts), labels, "_count")
