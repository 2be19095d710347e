"""Rule files that load, and everything that is refused, with its place and the right spelling."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from infrascan.evaluate import Rule, RuleErrors, RuleSet, load
from infrascan.evaluate.document import DEPTH_CAP, SIZE_CAP
from infrascan.model import Category, InputError, Kind, Relation, Severity

DATABASE = Kind(
    name="aws.rds.db_instance",
    title="RDS instance",
    provider="aws",
    permissions={"": "rds:DescribeDBInstances", "snapshots": "rds:DescribeDBSnapshots"},
    relations=(
        Relation(
            name="security_groups",
            path="VpcSecurityGroups[].VpcSecurityGroupId",
            to="aws.ec2.security_group",
            by="GroupId",
            reverse="db_instances",
        ),
    ),
    fields={
        "PubliclyAccessible": {},
        "AllocatedStorage": {},
        "Endpoint": {"Address": {}, "Port": {}},
        "VpcSecurityGroups": {"[]": {"VpcSecurityGroupId": {}}},
        "Attributes": {"*": {}},
        "Parameters": None,
        "snapshots": {"[]": {"SnapshotId": {}}},
    },
)
GROUP = Kind(
    name="aws.ec2.security_group",
    title="Security group",
    provider="aws",
    fields={
        "GroupId": {},
        "IpPermissions": {"[]": {"FromPort": {}, "IpRanges": {"[]": {"CidrIp": {}}}}},
    },
)
POD = Kind(name="k8s.pod", title="Pod", provider="k8s")
KINDS = {kind.name: kind for kind in (DATABASE, GROUP, POD)}
BODY = """\
id: aws.rds.instance-open-to-internet
title: RDS instance accepts connections from the internet
category: security
severity: critical
resource: aws.rds.db_instance
flag_when:
  PubliclyAccessible: true
  security_groups[]:
    IpPermissions[]:
      FromPort|at_most: 5432
      IpRanges[].CidrIp|covers: 0.0.0.0/0
why: Anyone on the internet can try passwords against the database.
fix:
  text: Turn off public accessibility.
  command: aws rds modify-db-instance --db-instance-identifier {name} --region {region}
references: [https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/]
controls: {cis-aws-5.0: ["2.2.3"]}
examples:
  - flag: public and open
    given: {PubliclyAccessible: true}
"""


def write(folder: Path, text: str, path: str = "aws/rds/instance-open-to-internet.yaml") -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def errors(folder: Path, text: str, **more: Any) -> list[tuple[int, int, str]]:
    """(line, column, message) for each thing that is wrong with the rule."""
    write(folder, text, **more)
    with pytest.raises(RuleErrors) as caught:
        load([folder], KINDS)
    return [(error.line, error.column, error.message) for error in caught.value.errors]


def replaced(old: str, new: str) -> str:
    assert old in BODY
    return BODY.replace(old, new)


def one(folder: Path, text: str = BODY, **more: Any) -> Rule:
    write(folder, text, **more)
    (rule,) = load([folder], KINDS)
    return rule


def test_a_rule_keeps_what_its_file_says(tmp_path: Path) -> None:
    rule = one(tmp_path)
    assert rule.id == "aws.rds.instance-open-to-internet"
    assert (rule.category, rule.severity) == (Category.SECURITY, Severity.CRITICAL)
    assert (rule.kind, rule.provider) == ("aws.rds.db_instance", "aws")
    assert rule.controls == {"cis-aws-5.0": ("2.2.3",)}
    assert rule.examples[0].given == {"PubliclyAccessible": True}
    assert list(rule.needs.paths()) == [
        "PubliclyAccessible", "security_groups", "security_groups[].IpPermissions",
    ]  # fmt: skip


def test_a_folder_may_be_of_one_provider(tmp_path: Path) -> None:
    write(tmp_path, BODY)
    assert [rule.id for rule in load([tmp_path / "aws"], KINDS)] == [
        "aws.rds.instance-open-to-internet"
    ]


def test_all_that_is_wrong_in_all_files_is_told_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        replaced("severity: critical", "severity: severe").replace(
            "PubliclyAccessible: true\n  s", "PublicAccessible: true\n  s"
        ),
    )
    write(tmp_path, "id: [", path="aws/rds/broken.yaml")
    with pytest.raises(RuleErrors) as caught:
        load([tmp_path], KINDS)
    assert isinstance(caught.value, InputError)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(caught.value.errors) == 3
    assert lines[0].startswith(
        f"{tmp_path}/aws/rds/broken.yaml:2:1: is not YAML: while parsing a flow node"
    )
    assert lines[1] == (
        f"{tmp_path}/aws/rds/instance-open-to-internet.yaml:4:11: severity must be one of "
        "critical, high, medium, low, info, not 'severe'"
    )
    assert lines[2].endswith(
        ":7:3: 'PublicAccessible': there is no field or relation 'PublicAccessible' of "
        "aws.rds.db_instance; did you mean 'PubliclyAccessible'?"
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("severity:", "severty:", 1, 1, "a rule needs 'severity'"),
        ("severity:", "severty:", 4, 1, "a rule has no key 'severty'; did you mean 'severity'?"),
        ("id: aws.rds.instance", "id: aws.rds.database", 1, 5, "id is 'aws.rds.database-open-to-internet', its path says 'aws.rds.instance-open-to-internet'"),
        ("resource: aws.rds.db_instance", "resource: aws.rds.instance", 5, 11, "there is no kind 'aws.rds.instance'; did you mean 'aws.rds.db_instance'?"),
        ("resource: aws.rds.db_instance", "resource: k8s.pod", 1, 5, "'aws.rds.instance-open-to-internet' is about k8s.pod, so its path must begin with k8s/"),
        ("category: security", "category: securty", 3, 11, "category must be one of cost, security, reliability, not 'securty'; did you mean 'security'?"),
        ("category: security", "category: [security]", 3, 11, "category must be a string, not a list"),
        ("title: RDS", "title: " + "R" * 80, 2, 8, "title has 127 characters, over 80"),
        ("title: RDS instance", "title: Ensure RDS instance", 2, 8, "title must state a fact about the resource"),
        ("  IpPermissions[]:", "  IpPermisions[]:", 9, 5, "'IpPermisions[]': there is no field or relation 'IpPermisions' of aws.ec2.security_group; did you mean 'IpPermissions'?"),
        ("IpPermissions[]:", "IpPermissions:", 9, 5, "'IpPermissions' is a list; write 'IpPermissions[]'"),
        ("IpRanges[].CidrIp", "IpRanges.CidrIp", 11, 7, "'IpRanges.CidrIp': 'CidrIp' is read from a list; write [] before it"),
        ("FromPort|at_most", "FromPort.x|at_most", 10, 7, "'FromPort.x': 'x' is read from a scalar"),
        ("FromPort|at_most", "FromPort[]|at_most", 10, 7, "'FromPort[]' uses [] on what is not a list"),
        ("FromPort|at_most", "IpRanges|at_most", 10, 7, "'IpRanges' is a list; write 'IpRanges[]' to ask it of any element"),
        ("FromPort|at_most", "FromPort|atmost", 10, 7, "there is no operator 'atmost'; did you mean 'at_most'?"),
        ("at_most: 5432", "at_most: lots", 10, 25, "'at_most' takes a number or a quantity such as 100m or 1Gi"),
        ("PubliclyAccessible: true\n  s", "PubliclyAccessible: null\n  s", 7, 23, "'is' does not take null; write `|exists: false`"),
        ("PubliclyAccessible: true\n  s", "PubliclyAccessible: yes\n  s", 7, 23, "write 'yes' in quotes, or true or false"),
        ("PubliclyAccessible: true\n  s", "Endpoint: true\n  s", 7, 3, "'Endpoint' is an object; ask for one of its fields"),
        ("PubliclyAccessible: true\n  s", "security_groups: true\n  s", 7, 3, "'security_groups' is a resource; ask for one of its fields"),
        ("PubliclyAccessible: true\n  s", "any: []\n  s", 7, 8, "a condition must not be empty: it would hold for everything"),
        ("PubliclyAccessible: true\n  s", "any: {}\n  s", 7, 8, "a condition must not be empty: it would hold for everything"),
        ("PubliclyAccessible: true\n  s", "not: 5\n  s", 7, 8, "a condition is a mapping or a list, not '5'"),
        ("PubliclyAccessible: true\n  s", "a..b: 5\n  s", 7, 3, "cannot read path 'a..b' at '.b'"),
        ("PubliclyAccessible: true\n  s", "a.: 5\n  s", 7, 3, "cannot read path 'a.' at '.'"),
        ("PubliclyAccessible: true\n  s", "PubliclyAccessible: true\n  PubliclyAccessible: false\n  s", 8, 3, "'PubliclyAccessible' is given twice; the first is on line 7"),
        ("{name}", "{nme}", 15, 12, "there is nothing to put for {nme}; did you mean 'name'?"),
        ("{name}", "{Endpoint.Adress}", 15, 12, "there is nothing to put for {Endpoint.Adress}; did you mean 'Address'?"),
        ("[https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/]", "[see the docs]", 16, 14, "a reference must be a URL"),
        ("{cis-aws-5.0:", "{CIS AWS:", 17, 12, "a framework is written like cis-aws-5.0, not 'CIS AWS'"),
        ("  - flag: public and open", "  - fail: public and open", 19, 5, "an example has no key 'fail'"),
        ("  - flag: public and open", "  - flag: public and open\n    pass: too", 19, 5, "an example has one of flag, pass, unknown"),
        ("    given: {P", "    given: [P", 20, 12, "given must be a mapping"),
        ("controls:", "saving: all\ncontrols:", 17, 9, "only rules of category cost have a saving"),
        ("  text: Turn off public accessibility.", "  text: ''", 14, 9, "text must be a string, not an empty string"),
        ("why: Any", "why: &x Any", 0, 0, ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, column: int, message: str
) -> None:
    text = replaced(old, new)
    if "[P" in new:
        text = text.replace("true}\n", "true]\n")
    if not message:
        assert one(tmp_path, text)  # an anchor that nothing refers to does no harm
        return
    assert (line, column, message) in [
        (at, col, found if len(found) == len(message) else found[: len(message)])
        for at, col, found in errors(tmp_path, text)
    ]


@pytest.mark.parametrize(
    ("saving", "message"),
    [
        ("half", "saving must be all, {share: 0.5} or {to: {...}}"),
        ("{share: 2}", "share must be a number above 0 and at most 1"),
        ("{share: 0.5, to: {a: b}}", "saving takes one of share, to"),
        ("{part: 0.5}", "saving has no key 'part'"),
        ("{to: gp3}", "to must map fields to their new values"),
    ],
)
def test_a_saving_that_is_wrong_is_told(tmp_path: Path, saving: str, message: str) -> None:
    text = replaced("controls:", f"saving: {saving}\ncontrols:").replace(
        "category: security", "category: cost"
    )
    assert message in [found for _, _, found in errors(tmp_path, text)]


@pytest.mark.parametrize("saving", ["all", {"share": 0.5}, {"to": {"StorageType": "gp3"}}])
def test_a_saving_is_kept_as_it_is_written(tmp_path: Path, saving: Any) -> None:
    text = replaced("category: security", "category: cost") + yaml.safe_dump({"saving": saving})
    assert one(tmp_path, text).saving == saving


@pytest.mark.parametrize(
    "name",
    [
        "ensure-private",
        "avoid-public",
        "use-tls",
        "no-backup",
        "should-rotate",
        "check-tls",
        "tls-enabled",
    ],
)
def test_names_of_remedies_are_refused(tmp_path: Path, name: str) -> None:
    text = replaced("aws.rds.instance-open-to-internet", f"aws.rds.{name}")
    ((_, _, message),) = errors(tmp_path, text, path=f"aws/rds/{name}.yaml")
    assert "names a remedy; name the fault" in message


@pytest.mark.parametrize(
    "path", ["aws/Public.yaml", "aws/rds/x/y.yaml", "public.yaml", "aws/rds/Open_DB.yaml"]
)
def test_paths_have_provider_service_and_fault(tmp_path: Path, path: str) -> None:
    found = [message for _, _, message in errors(tmp_path, BODY, path=path)]
    assert any("the path must be <provider>/<service>/<fault>.yaml" in message for message in found)


def test_an_id_is_used_once_over_all_folders(tmp_path: Path) -> None:
    first, second = tmp_path / "shipped", tmp_path / "mine"
    write(first, BODY)
    write(second, BODY)
    with pytest.raises(
        RuleErrors, match=r"mine.*id 'aws\.rds\.instance-open-to-internet' is also in .*shipped"
    ):
        load([first, second], KINDS)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleErrors, match="there is no such folder of rules"):
        load([tmp_path / "none"], KINDS)


def test_rules_may_be_about_several_kinds(tmp_path: Path) -> None:
    text = replaced(
        "resource: aws.rds.db_instance", "resource: [aws.rds.db_instance, aws.ec2.security_group]"
    )
    rule = one(tmp_path, text)
    assert rule.kinds == ("aws.rds.db_instance", "aws.ec2.security_group")
    assert RuleSet((rule,)).by_kind() == dict.fromkeys(rule.kinds, (rule,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# nothing", "is empty"),
        ("- a", "a rule must be a mapping, not a list"),
        ("a: *x", "is not YAML: found undefined alias"),
        ("a: &x [1]\nb: *x", "anchors and aliases (& and *) are not accepted"),
        ("a: &x {b: *x}", "anchors and aliases"),
        (
            "a: !!python/object/apply:os.system [id]",
            "tags such as tag:yaml.org,2002:python/object/apply:os.system",
        ),
        ("a: !!binary aGk=", "tags such as"),
        ("<<: {a: 1}", "merge keys (<<) are not accepted"),
        ("? [a]\n: b", "a key of a rule must be a string, not a list"),
        ("a: 1\n---\nb: 2", "is not YAML: expected a single document"),
        ("a: \x07", "is not YAML"),
        ("[" * 50_000, f"is nested more than {DEPTH_CAP} levels deep"),
        ("- " * 30_000, f"is nested more than {DEPTH_CAP} levels deep"),
        ("a: " + "{a: " * 200 + "}" * 200, f"is nested more than {DEPTH_CAP} levels deep"),
        ("a: " + "x" * SIZE_CAP, "the file is larger than 256 KB"),
    ],
)
def test_hostile_yaml_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert any(message in found for _, _, found in errors(tmp_path, text))


def test_a_bomb_of_aliases_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)
    ]
    assert all("anchors" in found for _, _, found in errors(tmp_path, "\n".join(rows)))


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, BODY)
    file.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(RuleErrors, match="is not UTF-8"):
        load([tmp_path], KINDS)
    file.unlink()
    file.symlink_to(tmp_path / "gone")
    with pytest.raises(RuleErrors, match="cannot be read"):
        load([tmp_path], KINDS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:22", "22:22"),
        ("2026-01-01", "2026-01-01"),
        ("0777", 777),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        ("'5'", "5"),
        ("5", 5),
        ("True", True),
        ("~", None),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        ("=", "="),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(tmp_path: Path, text: str, value: Any) -> None:
    rule = one(tmp_path, replaced("given: {PubliclyAccessible: true}", f"given: {{a: {text}}}"))
    assert rule.examples[0].given == {"a": value}


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF"])
def test_words_that_yaml_takes_for_truth_must_be_quoted(tmp_path: Path, word: str) -> None:
    text = replaced("given: {PubliclyAccessible: true}", f"given: {{a: {word}}}")
    ((_, _, message),) = errors(tmp_path, text)
    assert message == f"write '{word}' in quotes, or true or false"


def test_conditions_are_not_nested_without_end(tmp_path: Path) -> None:
    deep: Any = {"PubliclyAccessible": True}
    for _ in range(40):
        deep = {"not": deep}
    text = (
        BODY[: BODY.index("flag_when")]
        + yaml.safe_dump({"flag_when": deep})
        + BODY[BODY.index("why") :]
    )
    assert any("nest more than" in found for _, _, found in errors(tmp_path, text))
    loops = "Parameters" + "[]" * 30
    text = replaced("PubliclyAccessible: true\n  s", f"{loops}: 1\n  s")
    assert any("nests more than" in found for _, _, found in errors(tmp_path, text))


def test_a_kind_without_a_tree_takes_any_path(tmp_path: Path) -> None:
    write(tmp_path, replaced("PubliclyAccessible: true\n  s", "Anything.at.all: true\n  s"))
    assert load([tmp_path], {name: replace(kind, fields=None) for name, kind in KINDS.items()})
    with pytest.raises(RuleErrors):
        load([tmp_path], KINDS)


def test_free_maps_unknown_parts_and_shared_fields_can_be_read(tmp_path: Path) -> None:
    condition = textwrap.indent(
        'Attributes["a.b/c"]: x\nParameters.any[].thing: 1\ntags.Owner|exists: false\n'
        "metrics.cpu.average|below: 5\nmonthly_cost|above: 1\nsecurity_groups|count: 0\n"
        "security_groups[].db_instances[].PubliclyAccessible: true\n",
        "  ",
    )
    text = BODY[: BODY.index("  PubliclyAccessible")] + condition + BODY[BODY.index("why") :]
    assert one(tmp_path, text).needs.names == {
        "Attributes", "Parameters", "tags", "metrics", "monthly_cost", "security_groups",
    }  # fmt: skip


def test_a_rule_is_found_by_its_id_and_by_the_ids_it_had(tmp_path: Path) -> None:
    write(tmp_path, BODY + "aliases: [aws.rds.public]\n")
    rules = load([tmp_path], KINDS)
    assert rules.get("aws.rds.public") is rules.get("aws.rds.instance-open-to-internet")
    assert rules.get("aws.rds.other") is None
    assert len(rules.only(lambda rule: rule.category is Category.COST)) == 0


def test_the_digest_follows_the_text(tmp_path: Path) -> None:
    before = one(tmp_path)
    after = one(tmp_path, BODY + "status: preview\n")
    assert before.digest != after.digest
    assert RuleSet((before,)).digest != RuleSet((after,)).digest == RuleSet((after,)).digest
