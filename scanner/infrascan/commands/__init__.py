"""Commands that agents propose: read by a grammar, queued, run only once an operator approves.

`propose`, `result`, `mine` and `read` are what agents reach; `approving` is for operators.
"""

from infrascan.commands.nouns import (
    Effect,
    Output,
    Parsed,
    Proposal,
    RefusedError,
    Requester,
    Status,
)
from infrascan.commands.proposing import answer, mine, propose, read, result
from infrascan.commands.rates import Rates

__all__ = [
    "Effect",
    "Output",
    "Parsed",
    "Proposal",
    "Rates",
    "RefusedError",
    "Requester",
    "Status",
    "answer",
    "mine",
    "propose",
    "read",
    "result",
]
