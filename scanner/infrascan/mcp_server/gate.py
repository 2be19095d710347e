"""Every call passes here: who asks, may they, how often; and what came of it goes into the log.

It is the one place where answers leave, so that no tool can forget to redact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import mcp_types as types
import trio
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

from infrascan.commands import RefusedError
from infrascan.commands.policy import Policy, Subject, policy
from infrascan.commands.rates import Rates
from infrascan.mcp_server.callers import CALLER, Caller, caller_of
from infrascan.mcp_server.egress import cleaned, failed, outgoing
from infrascan.model import InputError
from infrascan.store.audit import Entry, append

WATCHED = {"tools/call": "tool", "resources/read": "resource", "prompts/get": "prompt"}
# Arguments by which an answer gets smaller, in the order in which we advise them.
NARROWING = (
    *("limit", "namespace", "severity", "category", "kind", "provider", "account", "region"),
    *("regions", "name", "tail_lines", "text", "sql"),
)


@dataclass(eq=False)
class Gate:
    """Middleware around every request of every client."""

    home: Path
    arguments: Mapping[str, frozenset[str]]  # tool -> the names of its arguments
    rates: Rates = field(default_factory=Rates)
    effects: Mapping[str, str] = field(default_factory=dict)  # tool -> "read", "write"
    prompts: Mapping[str, frozenset[str]] = field(default_factory=dict)  # and their arguments
    mock: str = ""  # what to say below each answer, where none is about a real estate

    async def __call__(self, ctx: Any, call_next: Any) -> Any:
        what = WATCHED.get(ctx.method)
        if what is None or ctx.request_id is None:
            return await call_next(ctx)
        params = dict(ctx.params or {})
        name = str(params.get("name") or params.get("uri") or "")
        given = params.get("arguments")
        arguments = given if isinstance(given, dict) else {}
        caller = caller_of(ctx)
        token = CALLER.set(caller)
        began = trio.current_time()
        entry = partial(self.entry, what, name, caller, arguments)
        outcome, size, truncated = "error", 0, False
        try:
            refusal = await self.refusal(what, name, caller, arguments)
            answer = refusal or await call_next(ctx)
            if what == "tool" and not asks(answer):
                answer = await trio.to_thread.run_sync(
                    outgoing, result_of(answer), self.narrowing(name)
                )
                truncated = bool((answer.structured_content or {}).get("truncated"))
                if self.mock:
                    answer.content.append(types.TextContent(type="text", text=self.mock))
            else:
                answer = await trio.to_thread.run_sync(cleaned, dumped(answer)) | state_of(answer)
            size = await trio.to_thread.run_sync(weight, answer)
            outcome = outcome_of(answer, refusal)
            return answer
        except trio.Cancelled:
            outcome = "cancelled"
            raise
        finally:
            took = int((trio.current_time() - began) * 1000)
            with trio.CancelScope(shield=True):
                done = entry(outcome=outcome, took=took, size=size, truncated=truncated)
                await trio.to_thread.run_sync(self.logged, done)
            CALLER.reset(token)

    def narrowing(self, tool: str) -> list[str]:
        has = self.arguments.get(tool, frozenset())
        return [name for name in NARROWING if name in has]

    async def refusal(
        self, what: str, name: str, caller: Caller, arguments: Mapping[str, Any]
    ) -> types.CallToolResult | None:
        """Why this call is not made, as an answer; None where it may be."""
        known = (self.arguments if what == "tool" else self.prompts).get(name)
        if (
            what != "resource"
            and known is not None
            and (strange := sorted(arguments.keys() - known))
        ):
            said = (
                f"{name} has no argument {strange[0][:40]!r}: {', '.join(sorted(known)) or 'none'}"
            )
            if what == "prompt":
                raise MCPError(types.INVALID_PARAMS, said)
            return failed(said, status=400)
        try:
            rules: Policy = await trio.to_thread.run_sync(policy, self.home)
            self.rates.calls, self.rates.seconds = rules.calls, rules.seconds
            if wait := self.rates.take(caller.key):
                return failed(
                    f"Too many calls: this client may make {rules.calls} in {rules.seconds:g} s. "
                    f"Try again in {wait:.1f} s.",
                    status=429,
                    retry_after=round(wait, 1),
                )
            if what == "tool":
                rules.check(self.subject(name, caller, arguments))
        except RefusedError as error:
            return failed(f"Denied: {error}", status=403, rule=error.rule)
        return None

    def subject(self, tool: str, caller: Caller, arguments: Mapping[str, Any]) -> Subject:
        """What the policy's rules are held against: the call as if it were a command."""
        namespace = str(arguments.get("namespace") or "")
        if not namespace and "namespace" in self.arguments.get(tool, frozenset()):
            namespace = "default" if tool in {"get_pod_logs", "describe_pod"} else "*"
        return Subject(
            tool=tool,
            verb="call",
            effect=self.effects.get(tool, "read"),
            kinds=[str(arguments["kind"])] if arguments.get("kind") else ["-"],
            namespaces=[namespace] if namespace else ["-"],
            context=str(arguments.get("context") or "-"),
            client=caller.name or "-",
        )

    def entry(
        self,
        what: str,
        name: str,
        caller: Caller,
        arguments: Mapping[str, Any],
        *,
        outcome: str,
        took: int,
        size: int,
        truncated: bool,
    ) -> Entry:
        return Entry(
            event=f"{what}.called" if what == "tool" else f"{what}.read",
            tool=name,
            client=caller.client,
            session=caller.session,
            user=caller.user,
            address=caller.address,
            reason=str(arguments.get("reason") or ""),
            model=str(arguments.get("model") or ""),
            arguments=arguments,
            outcome=outcome,
            duration_ms=took,
            bytes=size,
            truncated=truncated,
        )

    def logged(self, entry: Entry) -> None:
        """Write the log; a full disk costs the log, said on standard error, and not the answer."""
        try:
            append(self.home, entry)
        except InputError as error:
            import logging

            logging.getLogger(__name__).error("the audit log cannot be written: %s", error)


def weight(answer: Any) -> int:
    return len(json.dumps(dumped(answer), default=str))


def asks(answer: Any) -> bool:
    """Whether the answer is a question to the client, which calls again with what it wants to know."""
    return bool(dumped(answer).get("resultType") == "input_required")


def state_of(answer: Any) -> dict[str, Any]:
    """What such a client gives back unchanged. The SDK seals it; redacted, it would not be known."""
    state = dumped(answer).get("requestState")
    return {} if state is None else {"requestState": state}


def result_of(answer: Any) -> types.CallToolResult:
    if isinstance(answer, types.CallToolResult):
        return answer
    return types.CallToolResult.model_validate(answer)


def dumped(answer: Any) -> Any:
    if isinstance(answer, BaseModel):
        return answer.model_dump(mode="json", by_alias=True, exclude_none=True)
    return answer


def outcome_of(answer: Any, refusal: types.CallToolResult | None) -> str:
    """One word: "ok", "error", "denied", "limited", "pending"."""
    if refusal is not None:
        status = ((refusal.meta or {}).get("infrascan/error") or {}).get("status")
        return "limited" if status == 429 else "denied"
    if isinstance(answer, types.CallToolResult):
        if answer.is_error:
            return "error"
        if (answer.structured_content or {}).get("status") == "pending_approval":
            return "pending"
    return "ok"
