"""How often a client may call: a bucket of tokens for each, filled again as time passes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

CLIENTS = 10_000  # remembered; the one that was silent for longest is forgotten first


@dataclass(slots=True)
class Rates:
    """`calls` at once, and so many again in each `seconds`, for each client by itself."""

    calls: int = 120
    seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic
    buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def take(self, client: str) -> float:
        """0 where the client may call now; otherwise the seconds until it may, never 0."""
        now = self.clock()
        pace = self.calls / self.seconds
        with self.lock:
            tokens, since = self.buckets.pop(client, (float(self.calls), now))
            tokens = min(float(self.calls), tokens + max(0.0, now - since) * pace)
            # Additions of many small times may fall short of a whole token by a hair.
            allowed = tokens >= 1 - 1e-9
            self.buckets[client] = (max(0.0, tokens - 1) if allowed else tokens, now)
            if len(self.buckets) > CLIENTS:
                self.buckets.popitem(last=False)
        return 0.0 if allowed else max(1e-3, (1 - tokens) / pace)
