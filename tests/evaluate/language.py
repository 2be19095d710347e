"""A small estate's kinds, conditions written as JSON, and random rules and data over both."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from infrascan.evaluate.condition import Condition
from infrascan.evaluate.document import Document, root
from infrascan.evaluate.grammar import Grammar
from infrascan.evaluate.path import relations
from infrascan.model import Gap, Kind, Reason, Relation, Resource

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BOX = Kind(
    name="toy.shop.box",
    title="Box",
    provider="toy",
    relations=(
        Relation(name="locks", path="LockIds[]", to="toy.shop.lock", by="id", reverse="boxes"),
    ),
)
LOCK = Kind(name="toy.shop.lock", title="Lock", provider="toy")
KINDS = {kind.name: kind for kind in (BOX, LOCK)}
ACCOUNT = "111111111111"


def gap(name: str = "a", resource: str = "r") -> Gap:
    return Gap(
        provider="toy", account=ACCOUNT, kind=BOX.name, reason=Reason.DENIED,
        detail="denied", resource=resource, field=name,
    )  # fmt: skip


def condition(data: Any, kind: Kind = BOX, kinds: dict[str, Kind] = KINDS) -> Condition:
    """The condition that JSON spells; fails with its errors."""
    document = Document("rule.yaml", json.dumps(data))
    found = Grammar(document, kinds, relations(kinds)).condition(
        root(document, document.text), [kind]
    )
    assert found, [str(error) for error in document.errors]
    return found


def complaints(data: Any, kind: Kind = BOX, kinds: dict[str, Kind] = KINDS) -> list[str]:
    document = Document("rule.yaml", json.dumps(data))
    Grammar(document, kinds, relations(kinds)).condition(root(document, document.text), [kind])
    return [error.message for error in document.errors]


def resource(
    data: dict[str, Any],
    locks: list[Resource] | None = None,
    *,
    unread: tuple[str, ...] = (),
    id: str = "box-1",
    kind: Kind = BOX,
) -> Resource:
    return Resource(
        kind=kind.name, id=id, name=id, provider="toy", account=ACCOUNT, data=data,
        unread={name: gap(name, id) for name in unread},
        links={"locks": locks} if locks is not None else {},
    )  # fmt: skip


def lock(data: dict[str, Any], id: str = "lock-1", unread: tuple[str, ...] = ()) -> Resource:
    return resource(data, id=id, kind=LOCK, unread=unread)


NAMES = ("a", "b", "c")
POLICIES = st.sampled_from(
    [
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}}',
        '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}',
        "{",
    ]
)
SCALARS = st.one_of(
    st.sampled_from([True, False, 0, 1, 2, 1.5, "x", "xy", "1", "100m", "10.0.0.0/8", "0.0.0.0/0"]),
    st.sampled_from(
        ["10.1.2.3", "::/0", "2026-05-30T00:00:00Z", "2025-01-01T00:00:00Z", "", "1e400"]
    ),
    POLICIES,
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=3),
)
VALUES = st.recursive(
    st.none() | SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3)
INNER_STEPS = st.sampled_from(["a", "b", "c", "a[]", "b[]", "a.*", "b.*[]", "c[][]"])
PATHS = st.lists(INNER_STEPS, min_size=1, max_size=3).map(".".join)
OUTER_PATHS = st.one_of(PATHS, PATHS.map("locks[].{}".format))
LEAVES = (
    ("", SCALARS.filter(lambda value: value != "")),
    ("|in", st.lists(SCALARS, min_size=1, max_size=3)),
    ("|contains", SCALARS),
    ("|matches", st.sampled_from(["x", "^x$", ".", "(?i)X"])),
    ("|starts_with", st.sampled_from(["x", "1"])),
    ("|ends_with", st.sampled_from(["y", ["x", "0"]])),
    ("|exists", st.booleans()),
    ("|at_most", st.sampled_from([0, 1, "1", "100m"])),
    ("|at_least", st.sampled_from([0, 1.5, "1"])),
    ("|above", st.sampled_from([0, 1])),
    ("|below", st.sampled_from([1, 2])),
    ("|covers", st.sampled_from(["10.0.0.0/8", "0.0.0.0/0", ["::/0", "10.1.0.0/16"]])),
    ("|within", st.sampled_from(["10.0.0.0/8", "0.0.0.0/0"])),
    ("|older_than", st.sampled_from(["30d", "1d", "-30d"])),
    ("|newer_than", st.sampled_from(["30d", "1d"])),
    ("|count", st.sampled_from([0, 1, 2, {"at_least": 1, "below": 3}, {"at_most": 0}])),
    ("|allows", st.sampled_from([{"principal": "anyone", "action": "s3:GetObject"}, {"action": "*"}])),
)  # fmt: skip


def leaves(paths: st.SearchStrategy[str], depth: int) -> st.SearchStrategy[Any]:
    kinds = [st.tuples(paths.map(lambda p, op=op: p + op), operand) for op, operand in LEAVES]
    climbs = st.integers(0, depth).map(lambda n: f"{'^' * n}." if n else "")
    others = st.builds("".join, st.tuples(climbs, PATHS))
    compares = st.sampled_from(["|same_as", "|differs_from"])
    kinds.append(st.tuples(st.builds("".join, st.tuples(paths, compares)), others))
    return st.one_of(kinds).map(lambda pair: {pair[0]: pair[1]})


def conditions(paths: st.SearchStrategy[str] = OUTER_PATHS, depth: int = 0, levels: int = 3) -> Any:
    """Conditions as JSON: leaves, groups, and scopes over elements, objects and relations."""
    leaf = leaves(paths, depth)
    if levels == 0:
        return leaf
    inner = conditions(PATHS, depth + 1, levels - 1)
    same = st.deferred(lambda: conditions(paths, depth, levels - 1))
    scopes = st.sampled_from(
        ["a[]", "b[]", "a", "a.*", "c[][]", *(["locks[]"] if depth == 0 else [])]
    )
    return st.one_of(
        leaf,
        st.tuples(scopes, inner).map(lambda pair: {pair[0]: pair[1]}).filter(opens_scope),
        st.lists(same, min_size=1, max_size=3),
        st.lists(same, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        same.map(lambda part: {"not": part}),
    )


def opens_scope(data: dict[str, Any]) -> bool:
    """A list under a path is a list of values, not of conditions."""
    return all(isinstance(value, dict) for value in data.values())


def resources(*, unread: bool = False) -> st.SearchStrategy[Resource]:
    names = st.sets(st.sampled_from(NAMES)) if unread else st.just(set())
    links = st.booleans() if unread else st.just(False)

    @st.composite
    def build(draw: Any) -> Resource:
        locks = []
        for number in range(draw(st.integers(0, 2))):
            hidden = draw(names)
            data = {k: v for k, v in draw(OBJECTS).items() if k not in hidden}
            locks.append(lock(data, f"lock-{number}", tuple(sorted(hidden))))
        hidden = draw(names)
        data = {k: v for k, v in draw(OBJECTS).items() if k not in hidden}
        lost = {"locks"} if draw(links) else set()
        return resource(data, locks, unread=tuple(sorted(hidden | lost)))

    return build()
