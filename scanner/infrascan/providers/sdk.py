"""Importing SDKs, one at a time.

Providers import their SDKs when they are first needed, in threads. Several SDKs share packages whose
modules import each other (requests, urllib3, google.auth); where two threads would wait for one
another in there, Python hands out a module that is half made, and a provider fails by chance.
"""

from __future__ import annotations

import threading
from importlib import import_module

import trio

LOCK = threading.RLock()
WHOLE: set[str] = set()  # what was imported to its end


def imported(*names: str) -> None:
    """Import modules, if that was not done; in a thread, for it may take long."""
    if WHOLE.issuperset(names):
        return
    with LOCK:
        for name in names:
            import_module(name)
            WHOLE.add(name)


async def ready(*names: str) -> None:
    """The same for who is not in a thread: meanwhile the calls of others go on."""
    if not WHOLE.issuperset(names):
        await trio.to_thread.run_sync(imported, *names, abandon_on_cancel=True)
