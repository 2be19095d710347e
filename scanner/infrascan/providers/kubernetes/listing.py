"""Lists, page by page, to their end: or an error that says they have none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from infrascan.model import ReadError, Reason

Get: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[Any]]

PAGE = 500  # what kubectl asks for
MOST_PAGES = 4000  # two million objects
IDLE_PAGES = 5  # pages in a row that bring nothing new
RESUMPTIONS = 20  # tokens that may expire in one listing


async def pages(get: Get, path: str, expected: str, take: Callable[[list[Any]], None]) -> None:
    """Give `take` the items of each page that it has not had before.

    `expected` is the kind of the answer, "PodList". A page token that has expired is replaced by
    the one the server offers with the refusal; where it offers none, the list begins anew, once.
    Raises `ReadError`: what was given before is then not all there is.
    """
    token = ""
    used: set[str] = set()
    given: set[tuple[str, str]] = set()
    resumed = idle = 0
    restarted = False
    for _ in range(MOST_PAGES):
        answer = await get(path, {"limit": PAGE, "continue": token} if token else {"limit": PAGE})
        if expired(answer):
            token = next_token(answer)
            resumed += 1
            if not token and not restarted:
                restarted = True
                used.clear()
                continue
            if not token or token in used or resumed > RESUMPTIONS:
                raise truncated(path, "the page token expired, and no other leads on")
            used.add(token)
            continue
        items = items_of(answer, path, expected)
        fresh = [item for item in items if new(item, given)]
        if fresh:
            take(fresh)
        idle = 0 if fresh else idle + 1
        token = next_token(answer)
        if not token:
            left = (answer.get("metadata") or {}).get("remainingItemCount")
            if isinstance(left, int) and left > 0:
                raise truncated(
                    path, f"the server says {left} more are left, and not how to get them"
                )
            return
        if token in used:
            raise truncated(path, "a page token came twice")
        if idle >= IDLE_PAGES:
            raise truncated(path, f"{idle} pages in a row brought nothing new")
        used.add(token)
    raise truncated(path, f"the list did not end after {MOST_PAGES} pages")


def expired(answer: Any) -> bool:
    return isinstance(answer, dict) and answer.get("kind") == "Status" and answer.get("code") == 410


def next_token(answer: Any) -> str:
    metadata = answer.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else ""
    return token if isinstance(token, str) else ""


def items_of(answer: Any, path: str, expected: str) -> list[Any]:
    """The items. Null is an empty list, as Go writes one; an absent key is no list at all."""
    if not isinstance(answer, dict) or answer.get("kind") != expected:
        said = answer.get("kind") if isinstance(answer, dict) else type(answer).__name__
        raise malformed(path, f"the answer is {said!r}, not a {expected}")
    if "items" not in answer:
        raise malformed(path, f"the {expected} has no 'items'")
    items = answer["items"]
    if items is None:
        return []
    if not isinstance(items, list):
        raise malformed(path, f"the 'items' of the {expected} are not a list")
    return items


def new(item: Any, given: set[tuple[str, str]]) -> bool:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict):
        return True  # refused where it is made a resource
    unique = (str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))
    if unique in given:
        return False
    given.add(unique)
    return True


def truncated(path: str, what: str) -> ReadError:
    return ReadError(Reason.TRUNCATED, what, call=f"GET {path}")


def malformed(path: str, what: str) -> ReadError:
    return ReadError(Reason.MALFORMED, what, call=f"GET {path}")
