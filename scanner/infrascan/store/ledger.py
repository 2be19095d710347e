"""What a scan can say of a place where it found nothing: empty, unread, or never looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from infrascan.model import Connection, Gap, Scan, State


class Place(NamedTuple):
    """Where a resource is, as the coverage ledger counts."""

    provider: str
    account: str
    region: str
    kind: str


class Listing(StrEnum):
    """How far the resources of one kind in one place were listed."""

    COMPLETE = "complete"  # what is not in the scan is not there
    UNREAD = "unread"  # what is not in the scan may be there
    OUT = "out of scope"  # the scan did not look


class Ledger:
    """Answers for one scan, from its coverage, its gaps and its identities."""

    def __init__(self, scan: Scan) -> None:
        self.states = {
            Place(
                entry.partition.provider,
                entry.partition.account,
                entry.partition.region,
                entry.partition.kind,
            ): entry.state
            for entry in scan.coverage
        }
        self.gaps: dict[str, list[Gap]] = defaultdict(list)
        self.partial: dict[Place, list[Gap]] = defaultdict(list)
        for gap in scan.gaps:
            place = Place(gap.provider, gap.account, gap.region, gap.kind)
            if place in self.states:
                self.partial[place].append(gap)
            elif not gap.resource:
                self.gaps[gap.provider].append(gap)
        connected = Connection.CONNECTED
        self.connected = {(i.provider, i.account) for i in scan.identities if i.state is connected}
        self.broken = {i.provider for i in scan.identities if i.state is Connection.ERROR}
        self.answers: dict[Place, Listing] = {}

    def listing(self, place: Place) -> Listing:
        if (known := self.answers.get(place)) is None:
            known = self.answers[place] = self.found(place)
        return known

    def complete(self, place: Place) -> bool:
        return self.listing(place) is Listing.COMPLETE

    def found(self, place: Place) -> Listing:
        match self.states.get(place):
            case State.READ:
                return Listing.COMPLETE
            case State.UNREAD:
                return Listing.UNREAD
            case State.PARTIAL:
                gaps = self.partial[place]
                # A gap with a field is of a detail, though it may be of all resources at once.
                details = bool(gaps) and all(gap.resource or gap.field for gap in gaps)
                return Listing.COMPLETE if details else Listing.UNREAD
        if any(covers(gap, place) for gap in self.gaps[place.provider]):
            return Listing.UNREAD
        # An identity that failed may be the one that read this account before: it did not get
        # far enough to tell which account it is.
        if place.provider in self.broken and (place.provider, place.account) not in self.connected:
            return Listing.UNREAD
        return Listing.OUT


def covers(gap: Gap, place: Place) -> bool:
    return (
        gap.account in ("", place.account)
        and gap.region in ("", place.region)
        and gap.kind in ("", place.kind)
    )


class Move(NamedTuple):
    """A partition whose state is another one than before; "" where there was none."""

    place: Place
    before: str
    after: str


def moves(before: Ledger, after: Ledger) -> Iterable[Move]:
    for place in sorted(before.states.keys() | after.states.keys()):
        was, now = before.states.get(place, ""), after.states.get(place, "")
        if was != now:
            yield Move(place, str(was), str(now))
