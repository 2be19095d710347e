"""A report proves itself, and nothing that was changed in it passes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrascan.evaluate import RuleSet
from infrascan.model import Evidence, InputError, Severity
from infrascan.model.research import digits
from infrascan.reason.verify import State, Verification, verify
from infrascan.reason.verify.lines import ORDER
from infrascan.render.loading import load
from infrascan.render.sealing import Seal, line, sealed, text
from tests.reason import proven


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    return proven.rules(tmp_path_factory.mktemp("rules"))


@pytest.fixture(scope="module")
def whole(known: RuleSet) -> bytes:
    return proven.report(proven.scan(known))


def checked(data: bytes, known: RuleSet) -> Verification:
    return verify(data, lambda _: known, "x.json")


def names(found: Verification, what: str = "finding") -> set[str]:
    return {c.id for c in found.of(State.BROKEN, what)}


def flipped(data: bytes, place: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1 << bit
    return bytes(changed)


def span(data: bytes, section: str) -> range:
    """Where the rows of a section stand."""
    start = data.index(f'"{section}": ['.encode())
    start = data.index(b"\n", start) + 1
    return range(start, data.index(b"\n]", start))


def rows(data: bytes, section: str) -> list[dict[str, Any]]:
    found = span(data, section)
    lines = data[found.start : found.stop].decode().split("\n")
    return [json.loads(one.removesuffix(",")) for one in lines]


def resealed(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The report with something changed and every hash made anew, as a forger would."""
    report = json.loads(data)
    del report["seal"]
    change(report)
    seal = Seal()
    pieces = ["{\n"]
    for name, value in report.items():
        if not isinstance(value, list) or name == "path_notes":
            pieces += seal.member(name, value)
        elif name in ("findings", "paths", "claims", "ledger", "bundle"):
            bare = [{k: v for k, v in row.items() if k != "digest"} for row in value]
            pieces += seal.rows(name, map(sealed, bare))
        else:
            pieces += seal.rows(name, map(line, value))
    return "".join([*pieces, seal.end(), "}\n"]).encode()


def test_a_report_as_it_was_written_is_verified(whole: bytes, known: RuleSet):
    found = checked(whole, known)
    assert found.sound, found.broken
    assert {what: states[State.VERIFIED] for what, states in found.counts()} == {
        "finding": 3,
        "path": 1,
        "claim": 1,
        "section": len(ORDER),
    }


def test_a_report_rendered_from_a_report_is_verified_and_the_same(whole: bytes, known: RuleSet):
    assert proven.report(load(whole)) == whole


def test_making_every_hash_anew_changes_nothing_of_a_true_report(whole: bytes):
    assert resealed(whole, lambda _: None) == whole


@pytest.mark.parametrize("section", ["ledger", "bundle", "findings"])
def test_no_changed_byte_of_what_proves_passes(section: str, whole: bytes, known: RuleSet):
    for place in span(whole, section):
        found = checked(flipped(whole, place, place % 8), known)
        assert not found.sound, whole[place - 20 : place + 20]
        assert section in names(found, "section")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_changed_byte_anywhere_passes(data: st.DataObject, whole: bytes, known: RuleSet):
    place = data.draw(st.integers(0, len(whole) - 1))
    try:
        found = checked(flipped(whole, place, data.draw(st.integers(0, 7))), known)
    except InputError:
        return
    assert not found.sound


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_cut_and_no_doubled_line_passes(data: st.DataObject, whole: bytes, known: RuleSet):
    lines = whole.split(b"\n")
    place = data.draw(st.integers(0, len(lines) - 1))
    twice = data.draw(st.booleans())
    changed = [*lines[:place], *([lines[place]] * 2 if twice else []), *lines[place + 1 :]]
    if changed == lines:
        return
    try:
        found = checked(b"\n".join(changed), known)
    except InputError:
        return
    assert not found.sound


def test_a_changed_byte_of_the_ledger_names_the_findings_that_cite_the_fact(
    whole: bytes, known: RuleSet
):
    start = span(whole, "ledger").start
    citing = rows(whole, "findings")
    for fact in rows(whole, "ledger"):
        rest = whole[start:]
        end = start + rest.index(b"\n") if b"\n" in rest else len(whole)
        wanted = {f["id"] for f in citing if fact["id"] in f["evidence"]}
        for place in range(start, end):
            found = checked(flipped(whole, place, place % 7), known)
            assert wanted <= names(found), whole[place - 10 : place + 10]
        start = end + 1


def test_a_changed_byte_of_the_bundle_names_the_findings_judged_by_it(whole: bytes, known: RuleSet):
    judged_by = {  # the lock is behind the first finding
        "toy.shop.box/111111111111/here/a": {"4719155e3d003022", "7fcac893af83ea7a"},
        "toy.shop.box/111111111111/here/b": {"6c8a73ced5ee20de"},
        "toy.shop.lock/111111111111/here/x": {"4719155e3d003022"},
    }
    start = span(whole, "bundle").start
    for row in rows(whole, "bundle"):
        end = whole.index(b"\n", start)
        for place in range(start, end, 3):
            found = checked(flipped(whole, place, place % 7), known)
            assert judged_by[row["resource"]] <= names(found), whole[place - 10 : place + 10]
        start = end + 1


def test_a_changed_byte_of_a_finding_names_it(whole: bytes, known: RuleSet):
    start = span(whole, "findings").start
    for row in rows(whole, "findings"):
        end = whole.index(b"\n", start)
        for place in range(start, end - 1, 2):
            found = checked(flipped(whole, place, place % 7), known)
            assert row["id"] in names(found), (place, names(found))
        start = end + 1


@pytest.mark.parametrize(
    ("section", "old", "new"),
    [
        ("summary", b'"monthly_cost": 15.5', b'"monthly_cost": 16.5'),
        ("rules", b'"flagged":2', b'"flagged":1'),
        ("gaps", b'"reason":"denied"', b'"reason":"denieD"'),
        ("resources", b'"name":"b"', b'"name":"d"'),
        ("scan", b"2026-06-01T00:00:01Z", b"2026-06-01T00:00:02Z"),
        ("spending", b'"told":["tag team"]', b'"told":["tag_team"]'),
        ("research", b"toy/one", b"toy/two"),
        ("issues", b'"why":"Both."', b'"why":"None."'),
    ],
)
def test_a_change_elsewhere_is_named_by_its_section(
    section: str, old: bytes, new: bytes, whole: bytes, known: RuleSet
):
    start = whole.index(f'\n"{section}": '.encode())
    changed = whole[:start] + whole[start:].replace(old, new, 1)
    assert changed != whole
    assert section in names(checked(changed, known), "section")


def test_only_what_was_changed_is_broken(whole: bytes, known: RuleSet):
    start = whole.index(b'"Made"', whole.index(b'"ledger": ['))
    found = checked(flipped(whole, start + 1, 0), known)
    assert names(found) == {"7fcac893af83ea7a"}
    assert len(found.of(State.VERIFIED, "finding")) == 2


# What a forger gets who makes every hash anew.


def finding(report: dict[str, Any], rule: str) -> dict[str, Any]:
    return next(f for f in report["findings"] if f["rule"].endswith(rule))


def kept(report: dict[str, Any], name: str) -> dict[str, Any]:
    return next(k for k in report["bundle"] if k["resource"].endswith(name))


FORGED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a milder severity": (lambda r: finding(r, "open").update(severity="low"), "its severity is"),
    "another title": (lambda r: finding(r, "open").update(title="All is well"), "its title is"),
    "another category": (lambda r: finding(r, "old").update(category="security"), "its category"),
    "a closed box": (lambda r: kept(r, "/a")["data"].update(Open=False), "the resource passes"),
    "a working lock": (lambda r: kept(r, "/x")["data"].update(Working=True), "the resource passes"),
    "a younger box": (
        lambda r: kept(r, "/a")["data"].update(Made="2026-05-01T00:00:00Z"),
        "the resource passes",
    ),
    "a gap where a value was": (
        lambda r: kept(r, "/a")["data"].pop("Open") and kept(r, "/a").update(unread={"Open": 0}),
        "cannot be judged",
    ),
    "a fact left out": (lambda r: finding(r, "open")["evidence"].pop(), "it does not cite"),
    "a fact too many": (
        lambda r: finding(r, "old")["evidence"].insert(0, finding(r, "open")["evidence"][0]),
        "on which its rule does not decide",
    ),
    "facts in another order": (
        lambda r: finding(r, "open")["evidence"].reverse(),
        "not in the order",
    ),
    "an invented finding": (
        lambda r: finding(r, "old").update(resource="toy.shop.box/111111111111/here/c"),
        "its id is not that",
    ),
    "a saving above the cost": (
        lambda r: finding(r, "old")["saving"].update(monthly=11.0),
        "it saves 11.00 a month of a cost of 10.00",
    ),
    "a saving below nothing": (
        lambda r: finding(r, "old")["saving"].update(monthly=-1.0),
        "below zero",
    ),
    "a fact in a line without proof": (lambda r: r["bundle"].pop(0), "no sound line of"),
}


@pytest.mark.parametrize("name", FORGED)
def test_hashes_made_anew_do_not_get_a_finding_past_its_rule(
    name: str, whole: bytes, known: RuleSet
):
    change, said = FORGED[name]
    found = checked(resealed(whole, change), known)
    assert any(said in why for c in found.of(State.BROKEN, "finding") for why in c.why), [
        c.why for c in found.broken
    ]


def another(fix: dict[str, Any]) -> dict[str, Any]:
    """The change, made on another resource."""
    resource = f"{fix['resource']}-other"
    return {**fix, "resource": resource, "id": digits(resource, fix["rule"] or fix["text"])}


SUMS: dict[str, tuple[Callable[[dict[str, Any]], Any], str, str]] = {
    "a total above the spend": (
        lambda r: (
            r["summary"].update(monthly_cost=5.0),
            r["resources"].clear(),
        ),
        "summary",
        "6.00 a month is to be saved of 5.00",
    ),
    "a saving counted twice": (
        lambda r: r["summary"].update(monthly_saving=12.0),
        "summary",
        "it sums savings to 12.00, the findings to 6.00",
    ),
    "an owner that saves more than it spends": (
        lambda r: r["spending"][0].update(monthly_saving=99.0),
        "spending",
        "saves more than it spends",
    ),
    "an issue of a finding that is not there": (
        lambda r: r["issues"][0].update(findings=["0" * 16]),
        "issues",
        "which does not hold",
    ),
    "a cut of a path that is not there": (
        lambda r: r["cuts"][0].update(paths=["0" * 16]),
        "cuts",
        "which does not hold",
    ),
    "a cut by a change that is on no path": (
        lambda r: r["cuts"][0].update(fixes=[another(r["cuts"][0]["fixes"][0])]),
        "cuts",
        "leaves the path",
    ),
    "a cut with a change too many": (
        lambda r: r["cuts"][0]["fixes"].append(another(r["cuts"][0]["fixes"][0])),
        "cuts",
        "is called the smallest, and a smaller one ends the same paths",
    ),
    "a cut by a change of another text": (
        lambda r: r["cuts"][0]["fixes"][0].update(rule="toy.shop.box-old"),
        "cuts",
        "whose id is not that of its resource and text",
    ),
    "a path that no cut ends": (
        lambda r: r.update(cuts=[]),
        "cuts",
        "is in 0 of the cuts",
    ),
}


@pytest.mark.parametrize("name", SUMS)
def test_sums_and_references_are_checked(name: str, whole: bytes, known: RuleSet):
    change, section, said = SUMS[name]
    found = checked(resealed(whole, change), known)
    whys = {c.id: c.why for c in found.of(State.BROKEN, "section")}
    assert any(said in why for why in whys[section]), whys


EDGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an edge that nothing shows": (
        lambda r: kept(r, "/a").update(links={}),
        "in the bundle locks does not lead from",
    ),
    "a way in that nothing shows": (
        lambda r: r["paths"][0]["steps"][0].update(evidence=[]),
        "nothing shows that it leads from internet",
    ),
    "a permission that nothing shows": (
        lambda r: r["paths"][0]["steps"][1].update(relation="toy-may-read"),
        "nothing shows that it leads from",
    ),
    "a gap in the way": (
        lambda r: r["paths"][0]["steps"].pop(0),
        "does not begin where the one before it ends",
    ),
    "a fact that is not so": (
        lambda r: kept(r, "/a")["data"].update(Open=False),
        "another value at Open",
    ),
    "another way": (
        lambda r: r["paths"][0]["steps"][1].update(relation="keys"),
        "its id is not that of its steps",
    ),
}


@pytest.mark.parametrize("name", EDGES)
def test_each_edge_of_a_path_is_checked(name: str, whole: bytes, known: RuleSet):
    change, said = EDGES[name]
    (path,) = checked(resealed(whole, change), known).of(State.BROKEN, "path")
    assert any(said in why for why in path.why), path.why


def test_a_claim_holds_as_long_as_its_facts_do(whole: bytes, known: RuleSet):
    def unlocked(report: dict[str, Any]) -> None:
        kept(report, "/a")["links"]["locks"] = []

    (claim,) = checked(resealed(whole, unlocked), known).of(State.BROKEN, "claim")
    assert "the bundle has another value at count(locks)" in claim.why


def test_a_claim_without_anything_is_broken(known: RuleSet):
    scan = proven.scan(known)
    (claim,) = scan.research.claims
    bare = replace(claim, evidence=(), findings=())
    scan.research = replace(scan.research, claims=(bare,))
    (broken,) = checked(proven.report(scan), known).of(State.BROKEN, "claim")
    assert "it cites nothing" in broken.why


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"says": "It saves 7 a month [1]."}, "the number 7 stands in none"),
        ({"says": "It saves 5 of 6 a month [2]."}, ""),
        ({"says": "There is 1 lock on aws.s3.bucket “box 99” [2]."}, ""),
        ({"says": "It is open [3]."}, "it cites [3] of 2 facts"),
        ({"severity": Severity.MEDIUM}, "its severity is 'medium'"),
        ({"severity": Severity.CRITICAL}, ""),
        ({"findings": ()}, "no finding shows it"),
    ],
)
def test_a_claim_says_no_more_than_its_facts(changes: dict[str, Any], said: str, known: RuleSet):
    scan = proven.scan(known)
    (claim,) = scan.research.claims
    scan.research = replace(scan.research, claims=(replace(claim, **changes),))
    found = checked(proven.report(scan), known)
    whys = [why for c in found.of(State.BROKEN, "claim") for why in c.why]
    assert any(said in why for why in whys) if said else found.sound, whys


def test_another_version_of_a_rule_is_said_and_breaks_nothing(whole: bytes, tmp_path: Path):
    milder = proven.RULES["box-open"].replace("severity: high", "severity: low")
    found = checked(whole, proven.rules(tmp_path, **{"box-open": milder}))
    assert not found.broken
    assert not found.sound
    assert {c.why for c in found.of(State.UNVERIFIABLE)} == {
        ("made with another version of the rule toy.shop.box-open",)
    }
    assert len(found.of(State.UNVERIFIABLE)) == 2


def test_without_rules_nothing_is_called_verified_but_facts_are_still_held_to(whole: bytes):
    assert len(checked(whole, RuleSet()).of(State.UNVERIFIABLE, "finding")) == 3
    forged = resealed(whole, lambda r: kept(r, "/b")["data"].update(Open=7))
    (broken,) = checked(forged, RuleSet()).of(State.BROKEN, "finding")
    assert broken.why == ("the bundle has another value at Open",)


def test_without_its_time_a_report_cannot_be_judged(whole: bytes, known: RuleSet):
    found = checked(resealed(whole, lambda r: r["scan"].update(observed="")), known)
    assert len(found.of(State.UNVERIFIABLE, "finding")) == 3


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff\xfe\x00", b'{"schema": "infrascan.report/1"}', b"[" * 100_000],
)
def test_what_never_was_a_report_is_said_in_one_line(data: bytes, known: RuleSet):
    with pytest.raises(InputError) as error:
        checked(data, known)
    assert "x.json is not an infrascan.report/2 report" in str(error.value)
    assert "\n" not in str(error.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["head", "middle", "tail"]))
def test_no_garbage_raises_anything_but_an_input_error(noise: bytes, where: str):
    report = b'{\n"schema": "infrascan.report/2",\n"ledger": [\n],\n"findings": [\n],\n'
    data = {"head": noise + report, "middle": report[:30] + noise + report[30:]}
    try:
        found = checked(data.get(where, report + noise), RuleSet())
    except InputError:
        return
    assert not found.sound


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_values_of_any_shape_break_no_check(data: st.DataObject, whole: bytes, known: RuleSet):
    """A forger may put anything anywhere: it is broken, not a defect."""
    odd = st.sampled_from([None, 7, "x", [], {}, [None], {"a": 1}, [[1]], -1, 1e9, True])

    def change(report: dict[str, Any]) -> None:
        name = data.draw(st.sampled_from(sorted(report)))
        section = report[name]
        row = (
            data.draw(st.sampled_from(section))
            if isinstance(section, list) and section
            else section
        )
        if isinstance(row, dict) and row:
            row[data.draw(st.sampled_from(sorted(row)))] = data.draw(odd)

    with suppress(InputError):
        checked(resealed(whole, change), known)


def test_facts_are_cited_once_and_known_by_what_they_say(known: RuleSet):
    scan = proven.scan(known)
    report = proven.report(scan)
    facts = rows(report, "ledger")
    assert len({fact["id"] for fact in facts}) == len(facts)
    cited = {one for row in rows(report, "findings") for one in row["evidence"]}
    assert cited <= {fact["id"] for fact in facts}
    assert all(re.fullmatch("E[0-9a-f]{12}", one) for one in cited)


def test_the_text_of_one_row_is_its_own(known: RuleSet):
    odd = Evidence(resource="r", path="p", value='","digest":"0"}')
    assert json.loads(sealed({"value": odd.value}))["value"] == odd.value
    assert text({"a": 1}) == '{"a": 1}'
