"""The nouns of infrascan: what passes between the stages. Nothing here does I/O."""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from infrascan.model.errors import InputError, ReadError, Reason
from infrascan.model.grades import JSON, SEVERITIES, Category, Evidence, Severity
from infrascan.model.research import (
    INTERNET,
    Claim,
    Cut,
    Fact,
    Fix,
    Issue,
    Path,
    Research,
    Step,
    Usage,
)
from infrascan.model.spending import Spent

__all__ = [
    "INTERNET",
    "JSON",
    "SEVERITIES",
    "Category",
    "Claim",
    "Connection",
    "Coverage",
    "Cut",
    "Edge",
    "Evidence",
    "Fact",
    "Finding",
    "Fix",
    "Gap",
    "Identity",
    "InputError",
    "Issue",
    "Kind",
    "Partition",
    "Path",
    "Price",
    "ReadError",
    "Reason",
    "Relation",
    "Research",
    "Resource",
    "RuleSummary",
    "Scan",
    "Severity",
    "Spent",
    "State",
    "Step",
    "Unknown",
    "Usage",
    "share_read",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """The unit of reading: one kind of resource in one region of one account.

    Plain data, so that it can be recorded, resumed, or read in another process.
    """

    provider: str  # "aws"
    account: str  # AWS account id, cluster name
    region: str  # "" where the kind has no region
    kind: str  # "aws.ec2.instance"

    @property
    def place(self) -> str:
        """The partition in one string: `aws/123456789012/eu-west-1/aws.ec2.instance`."""
        return f"{self.provider}/{self.account}/{self.region or 'global'}/{self.kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that was not read, and what would close the gap."""

    provider: str
    account: str = ""
    region: str = ""
    kind: str = ""  # "" when the provider or account as a whole could not be read
    call: str = ""  # "s3.GetBucketAcl", "GET /api/v1/pods"
    reason: Reason
    detail: str  # what came back, one sentence, redacted
    permission: str = ""  # what to grant: "s3:GetBucketAcl", "list pods"; or a sentence: what to do
    resource: str = ""  # key of the resource, when one resource's detail is missing
    field: str = ""  # that detail's field in the resource's data

    @property
    def place(self) -> str:
        """Where: `aws/123456789012/eu-west-1/s3.GetBucketAcl`."""
        parts = (self.provider, self.account, self.region or "global", self.call or self.kind)
        return "/".join(part for part in parts if part)


@dataclass(slots=True, kw_only=True, eq=False)
class Resource:
    """One thing a provider has. `data` keeps the vendor's spelling; our own fields are snake_case.

    `data` holds JSON values only: times are ISO 8601 strings in UTC ("2026-11-21T09:30:00Z").
    `unread` maps a field of `data`, or a name in `links`, to the gap that explains its absence.
    `links` is filled by the graph: relation name -> resources it leads to, in key order.
    """

    kind: str
    id: str  # unique within (kind, account, region): an ARN, "namespace/name"
    name: str
    provider: str
    account: str
    region: str = ""
    data: dict[str, Any]
    unread: dict[str, Gap] = field(default_factory=dict)
    links: dict[str, list[Resource]] = field(default_factory=dict)
    packed: bytes = b""

    def pack(self) -> None:
        """Keep `data` as bytes until it is next looked at: a fifth of the memory."""
        if not self.packed:
            self.packed = marshal.dumps(self.data)
            del self.data

    def __getattr__(self, name: str) -> Any:  # reached only while `data` is packed
        if name != "data" or not self.packed:
            raise AttributeError(name)
        self.data = marshal.loads(self.packed)  # noqa: S302 (bytes of our own, never from outside)
        self.packed = b""
        return self.data

    @property
    def key(self) -> str:
        """Identifies the resource across scans: `aws.s3.bucket/123456789012/global/arn:…`."""
        return f"{self.kind}/{self.account}/{self.region or 'global'}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """An edge that a table declares: `path` in the source holds what `by` holds in the target.

    Rules follow `name` from the source and `reverse` from the target, like a field.
    With `selector`, `path` holds a Kubernetes label selector and `by` the labels it matches.

    `missing` names a field of the source: the list of values at `path` without a target. It is
    unread, like the relation, where the target's kind was not read. `matching` is a pattern that a
    value must match to be a key at all; its first group, if any, is the key, or `key` is, a
    template of the groups. `folded` keys are the same in any case of letters. `sums` names a map
    of numbers in the sources that is added up, under the same name, in the target; it is unread
    there where the sources were not read.
    """

    name: str
    path: str  # "SecurityGroups[].GroupId"; "spec.selector"
    to: str  # kind of the target
    by: str  # path in the target: "GroupId"; or "id", "name" for those of the Resource
    reverse: str = ""
    # "region" | "account" | "namespace" | "anywhere" | "estate": anywhere, but what is in no
    # account that was read counts as missing, where elsewhere it would not be known
    within: str = "region"
    selector: bool = False
    missing: str = ""
    sums: str = ""
    matching: str = ""
    key: str = ""  # r"projects/\1/zones/\2"
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What the tables say of one kind of resource.

    `fields` gives the paths its data can have: a tree of `{name: tree}`; `{"[]": tree}` for a
    list, `{"*": tree}` for a map with free keys, `{}` for a scalar, None where the vendor's
    schema does not say. A rule that reads a path which is not there is refused.
    """

    name: str  # "aws.ec2.instance"
    title: str  # "EC2 instance"
    provider: str
    relations: tuple[Relation, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)  # field, or "" for the list call
    calls: Mapping[str, str] = field(default_factory=dict)  # the same -> operation that gives it
    fields: Any = None
    live: bool = False  # read only when asked for, not in every scan: events and the like


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A resolved relation between two resources, by their keys."""

    source: str
    name: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A monthly amount and where it comes from."""

    monthly: float  # in `currency`, 730 hours
    source: str  # "AWS price list, us-east-1"
    date: str  # "2026-10-01"
    currency: str = "USD"
    basis: str = ""  # "730 h × 0.0416 USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that holds for a resource, with its evidence, its fix and what it saves."""

    rule: str
    title: str
    category: Category
    severity: Severity
    kind: str
    resource: str  # key
    resource_id: str
    name: str
    provider: str
    account: str
    region: str
    evidence: tuple[Evidence, ...]
    why: str
    fix: str
    command: str = ""
    references: tuple[str, ...] = ()
    controls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cost: Price | None = None  # what the resource costs a month, when known
    saving: Price | None = None  # what the fix saves a month; `monthly` never exceeds the cost
    saving_note: str = ""  # why there is no saving: "no price for db.x9 in mx-central-1"
    saving_counted: bool = True  # False when a larger saving on the same resource is counted

    @property
    def id(self) -> str:
        """Stable across scans: sixteen hex digits over rule and resource."""
        text = f"{self.rule}\0{self.resource}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A rule without a verdict, because what it needs was not read.

    `resource` is the key, or "" when a whole partition (see its `gap`) was not read.
    """

    rule: str
    kind: str
    resource: str
    name: str
    provider: str
    account: str
    region: str
    gap: Gap


class State(StrEnum):
    """What came of a partition."""

    READ = "read"
    PARTIAL = "partial"  # listed, but some pages or details are missing
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One line of the coverage ledger."""

    partition: Partition
    state: State
    resources: int
    calls: int
    failed: int  # calls that ended in a gap


class Connection(StrEnum):
    CONNECTED = "connected"
    NOT_CONFIGURED = "not configured"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """As whom a provider is read: one per AWS profile, one per Kubernetes context."""

    provider: str
    state: Connection
    source: str = ""  # where the credentials are: "profile prod (~/.aws/credentials)"
    account: str = ""
    who: str = ""  # "arn:aws:iam::123456789012:user/scanner"
    detail: str = ""  # what went wrong, one sentence
    remedy: str = ""  # what to try
    reason: Reason = Reason.UNAUTHENTICATED  # of an error


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSummary:
    """What a report says of a rule that ran: how many resources it flagged, passed, could not tell."""

    rule: str
    title: str
    category: Category
    severity: Severity
    kind: str
    flagged: int
    passed: int
    unknown: int
    definition: str = ""  # hash of the rule, so that a changed rule is told from a changed resource
    # what it reads of a resource, and along relations: ("Encrypted", "volumes[].Size")
    reads: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Scan:
    """All that one run read and found. Lists are in a stable order, whatever the timing was."""

    id: str  # "20261121T093000Z-5f3a"
    version: str
    started: str  # ISO 8601, UTC
    finished: str
    observed: str  # the time that ages in rules are measured against; the recording's, on replay
    scope: dict[str, Any]  # providers, profiles, regions, contexts, rule folders, filters
    identities: list[Identity]
    resources: list[Resource]
    edges: list[Edge]
    findings: list[Finding]
    unknowns: list[Unknown]
    gaps: list[Gap]
    coverage: list[Coverage]
    rules: list[RuleSummary]
    monthly_cost: float = 0.0  # USD, of the resources that have a price
    unpriced: dict[str, int] = field(default_factory=dict)  # kind -> resources without a price
    interrupted: bool = False
    question: str = ""
    paths: list[Path] = field(default_factory=list)  # the worst first
    cuts: list[Cut] = field(default_factory=list)  # the one that ends most paths first
    issues: list[Issue] = field(default_factory=list)  # the worst first
    path_notes: list[str] = field(default_factory=list)  # which paths may be missing, and why
    research: Research = field(default_factory=Research)
    spending: tuple[Spent, ...] = ()  # by owner, service and provider, the dearest first
    # kind -> field of its data, "" for the rest -> the operation that gave it: "s3.GetBucketAcl"
    calls: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def monthly_saving(self) -> float:
        """USD a month over all findings; savings on one resource are counted once."""
        return sum(f.saving.monthly for f in self.findings if f.saving and f.saving_counted)

    @property
    def coverage_percent(self) -> float:
        """Share of the partitions that were read, in percent; a partial one counts by its calls."""
        if not self.coverage:
            return 0.0
        return 100 * sum(map(share_read, self.coverage)) / len(self.coverage)

    @property
    def silent_providers(self) -> list[str]:
        """Those that were asked for and gave nothing at all, in the order they were asked for."""
        connected = {i.provider for i in self.identities if i.state is Connection.CONNECTED}
        read = {c.partition.provider for c in self.coverage if c.calls > c.failed}
        return [name for name in self.scope.get("providers", ()) if name not in connected & read]

    def count(self, severity: Severity) -> int:
        return sum(f.severity == severity for f in self.findings)


def share_read(entry: Coverage) -> float:
    """0 to 1: how much of a partition was read."""
    if entry.state is State.READ:
        return 1.0
    if entry.state is State.UNREAD or not entry.calls:
        return 0.0
    return max(0.0, 1 - entry.failed / entry.calls)
