"""Which subscriptions are read: those that were chosen, or all that the identity sees."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infrascan.collect.provider import Ask, Call
from infrascan.model import Connection, Identity, InputError, Partition, ReadError, Reason
from infrascan.providers.azure.signing import REMEDY
from infrascan.providers.azure.tables import NEXT
from infrascan.providers.rest.calling import Caller

GUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
SUBSCRIPTIONS = "GET /subscriptions"
DESCENDANTS = "GET /providers/Microsoft.Management/managementGroups/{management_group}/descendants"
TENANT = Partition(provider="azure", account="", region="", kind="")
READER = "give the identity the role Reader on the subscription, or see infrascan permissions azure"
GROUP_READER = "check the management group's name, and give the identity the role Reader on it"


@dataclass(eq=False)
class Found:
    """What came of signing in: the subscriptions to read by id, and an identity for each."""

    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)


async def connected(ask: Ask, wanted: Sequence[str]) -> Found:
    """Sign in and choose. Raises `InputError` for a subscription's name that there is not."""
    found = Found()
    signed = await ask(Call(provider="azure", account="", region="", api="local.Credentials"))
    if signed["problem"]:
        found.identities.append(unsigned(signed))
        return found
    source, who = str(signed["source"]), str(signed["who"])
    try:
        visible = await subscriptions(ask)
    except ReadError as error:
        found.identities.append(failed(error, source, who=who))
        return found
    chosen = dict.fromkeys(visible) if not wanted else {}
    for scope in wanted:
        try:
            chosen.update(dict.fromkeys(await meant(ask, scope, visible)))
        except ReadError as error:
            found.identities.append(failed(error, source, scope, who))
    for subscription in chosen:
        if subscription not in visible:
            # Resource Graph would leave it out without a word.
            detail = f"subscription {subscription} does not exist or is not visible to {who}"
            hidden = ReadError(Reason.DENIED, detail)
            found.identities.append(failed(hidden, source, subscription, who))
            continue
        found.accounts[subscription] = {
            "subscription": subscription,
            "tenant": str(signed["tenant"]),
        }
        found.identities.append(
            Identity(
                provider="azure",
                state=Connection.CONNECTED,
                source=source,
                account=subscription,
                who=who,
            )
        )
    if not found.identities:
        nothing = ReadError(Reason.DENIED, f"signed in as {who}, who sees no subscription")
        found.identities.append(failed(nothing, source, who=who))
    return found


async def subscriptions(ask: Ask) -> dict[str, str]:
    """The subscriptions that are visible: id -> name, in order of id. Raises `ReadError`."""
    caller = Caller(TENANT, {}, ask)
    call = caller.call(SUBSCRIPTIONS, {"api-version": "2022-12-01"})
    items = await caller.everything(call, "value[]", NEXT)
    return {
        str(item["subscriptionId"]).lower(): str(item.get("displayName", ""))
        for item in sorted(items, key=lambda item: str(item.get("subscriptionId")))
        if item.get("subscriptionId") and item.get("state") != "Deleted"
    }


async def meant(ask: Ask, scope: str, visible: Mapping[str, str]) -> list[str]:
    """The ids that a scope stands for. Raises `InputError` for an unknown name, or `ReadError`."""
    kind, _, name = scope.strip("/").rpartition("/")
    if kind == "management-groups":
        return await below(ask, name)
    if kind not in ("", "subscriptions"):
        raise InputError(
            f"unknown scope {scope!r}: azure takes subscriptions/ID and management-groups/NAME"
        )
    if GUID.fullmatch(name):
        return [name.lower()]
    ids = [found for found, title in visible.items() if title.lower() == name.lower()]
    if not ids:
        names = sorted(set(visible.values()))
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        told = f"did you mean {near[0]}?" if near else f"there are {', '.join(names) or 'none'}"
        raise InputError(f"unknown Azure subscription {name!r}: {told}")
    return ids


async def below(ask: Ask, group: str) -> list[str]:
    """The subscriptions in a management group, at any depth. Raises `ReadError`."""
    caller = Caller(TENANT, {}, ask)
    call = caller.call(DESCENDANTS, {"management_group": group, "api-version": "2020-05-01"})
    items = await caller.everything(
        call, "value[]", NEXT, "Microsoft.Management/managementGroups/descendants/read"
    )
    ids = {str(item.get("name", "")).lower() for item in items if in_group(item)}
    return sorted(ids)


def in_group(item: Any) -> bool:
    """Whether a descendant is a subscription: the others are groups."""
    return isinstance(item, dict) and str(item.get("type", "")).lower().endswith("/subscriptions")


def unsigned(signed: Mapping[str, Any]) -> Identity:
    """The identity of a sign-in that failed, or that had nothing to sign in with."""
    nothing = signed["code"] == "none"
    return Identity(
        provider="azure",
        state=Connection.NOT_CONFIGURED if nothing else Connection.ERROR,
        source=str(signed["source"]),
        detail=str(signed["problem"]),
        remedy=REMEDY if nothing else remedy(Reason(signed["reason"])),
        reason=Reason(signed["reason"]),
    )


def failed(error: ReadError, source: str, account: str = "", who: str = "") -> Identity:
    refused = error.reason is Reason.DENIED and account.startswith("management-groups/")
    return Identity(
        provider="azure",
        state=Connection.ERROR,
        source=source,
        account=account,
        who=who,
        detail=error.detail,
        remedy=GROUP_READER if refused else remedy(error.reason),
        reason=error.reason,
    )


def remedy(reason: Reason) -> str:
    if reason is Reason.UNAUTHENTICATED:
        return (
            "sign in again: az login, or check the client secret, its date of expiry and the tenant"
        )
    if reason in (Reason.UNREACHABLE, Reason.TIMED_OUT):
        return "check the network, the proxy settings and AZURE_AUTHORITY_HOST"
    if reason is Reason.DENIED:
        return READER
    if reason is Reason.MALFORMED:
        return "something other than Azure answered: check the proxy settings and the endpoint"
    return "run again later"
