"""What policy documents grant, and to whom."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infrascan.evaluate.policy import glob, grant, granted, granting

OWN, OTHER = "111111111111", "222222222222"
ANYONE = {"principal": "anyone", "action": "s3:GetObject"}


def statement(**parts: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", **parts}


def allows(document: Any, operand: Any = ANYONE) -> bool:
    return granted(document, grant(operand), OWN)


def test_documents_come_as_text_or_as_data_with_one_statement_or_many() -> None:
    for rows in (statement(), [statement()]):
        assert allows({"Statement": rows})
        assert allows(json.dumps({"Statement": rows}))
    assert allows("%7B%22Statement%22%3A%20" + json.dumps(statement()).replace('"', "%22") + "%7D")


@pytest.mark.parametrize(
    "document", ["", "{", "[]", "null", "3", {}, [], 5, True, {"Statement": "x"}, "[" * 9999]
)
def test_what_is_no_policy_grants_nothing(document: Any) -> None:
    assert not allows(document)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("s3:GetObject", True),
        ("S3:getobject", True),
        ("s3:Get*", True),
        ("s3:?etObject", True),
        ("*", True),
        (["s3:PutObject", "s3:*"], True),
        ("s3:PutObject", False),
        ("s3:GetObjectAcl", False),
        ([], False),
    ],
)
def test_actions_match_by_wildcard(action: Any, expected: bool) -> None:
    assert allows({"Statement": statement(Action=action)}) is expected


def test_not_action_grants_the_rest() -> None:
    document = {
        "Statement": {k: v for k, v in statement(NotAction="iam:*").items() if k != "Action"}
    }
    assert allows(document)
    assert not allows(document, {"principal": "anyone", "action": "iam:PassRole"})
    assert not allows(document, {"principal": "anyone", "action": "*"})


def test_all_actions_are_granted_only_by_all_actions() -> None:
    everything = {"action": "*", "resource": "*"}
    assert allows({"Statement": statement(Action="*")}, everything)
    assert allows({"Statement": statement(Action=["*:*", "*"])}, everything)
    assert not allows({"Statement": statement(Action="s3:*")}, everything)
    assert not allows({"Statement": statement(Action="*", Resource="arn:aws:s3:::b/*")}, everything)


def test_resources_are_asked_for_only_where_named() -> None:
    document = {"Statement": statement(Resource="arn:aws:s3:::b/*")}
    assert allows(document)
    assert allows(document, {**ANYONE, "resource": "arn:aws:s3:::b/key"})
    assert not allows(document, {**ANYONE, "resource": "arn:aws:s3:::other/key"})
    rest = {k: v for k, v in statement(NotResource="arn:aws:s3:::b/*").items() if k != "Resource"}
    assert not allows({"Statement": rest}, {**ANYONE, "resource": "arn:aws:s3:::b/key"})
    assert allows({"Statement": rest}, {**ANYONE, "resource": "arn:aws:s3:::other/key"})


@pytest.mark.parametrize(
    ("principal", "anyone", "others", "account"),
    [
        ("*", True, True, True),
        ({"AWS": "*"}, True, True, True),
        ({"AWS": ["x", "*"]}, True, True, True),
        ({"*": "*"}, True, True, True),
        ({"AWS": OTHER}, False, True, True),
        ({"AWS": f"arn:aws:iam::{OTHER}:root"}, False, True, True),
        ({"AWS": [OWN, f"arn:aws:iam::{OTHER}:role/x"]}, False, True, True),
        ({"AWS": OWN}, False, False, False),
        ({"AWS": f"arn:aws:iam::{OWN}:user/x"}, False, False, False),
        ({"AWS": "AIDAEXAMPLE"}, False, False, False),
        ({"Service": "sns.amazonaws.com"}, False, False, False),
        ({"CanonicalUser": "abc"}, False, False, False),
        (None, False, False, False),
    ],
)
def test_principals(principal: Any, anyone: bool, others: bool, account: bool) -> None:
    document = {"Statement": statement(Principal=principal)}
    assert allows(document) is anyone
    assert allows(document, {**ANYONE, "principal": "other_accounts"}) is others
    assert allows(document, {**ANYONE, "principal": f"account:{OTHER}"}) is account


def test_an_allow_for_all_but_some_is_for_anyone() -> None:
    row = {k: v for k, v in statement(NotPrincipal={"AWS": OWN}).items() if k != "Principal"}
    assert allows({"Statement": row})


def test_services_and_identity_providers_can_be_asked_for() -> None:
    document = {
        "Statement": statement(
            Principal={"Service": "sns.amazonaws.com", "Federated": "idp.example"}
        )
    }
    assert allows(document, {**ANYONE, "principal": "service:*"})
    assert not allows(document, {**ANYONE, "principal": "service:sqs.*"})
    assert allows(document, {**ANYONE, "principal": "federated:*.example"})


def test_identity_policies_have_no_principal() -> None:
    row = {k: v for k, v in statement().items() if k != "Principal"}
    assert allows({"Statement": row}, {"action": "s3:GetObject"})
    assert not allows({"Statement": row})


@pytest.mark.parametrize(
    ("condition", "narrowed"),
    [
        ({"StringEquals": {"aws:SourceAccount": OWN}}, True),
        ({"StringEquals": {"AWS:sourceaccount": [OWN]}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{OWN}:*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::bucket"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}, False),
        ({"StringLike": {"aws:PrincipalArn": "*"}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, True),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
        ({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "0.0.0.0/0"]}}, False),
        ({"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}, False),
        ({"IpAddress": {"aws:SourceIp": "::/0"}}, False),
        ({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, False),
        ({"StringEquals": {"s3:DataAccessPointAccount": OWN}}, True),
        ({"StringEquals": {"kms:CallerAccount": OWN}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, False),
        ({"Null": {"aws:PrincipalOrgID": "false"}}, False),
        ({"StringEquals": {"s3:prefix": "public"}}, False),
        ({"Bool": {"elasticfilesystem:AccessedViaMountTarget": "true"}}, True),
        ({"StringEquals": {"s3:prefix": "x", "aws:SourceVpc": "vpc-1"}}, True),
        ({}, False),
        ("broken", False),
    ],
)
def test_conditions_that_narrow_who_may_use_a_grant(condition: Any, narrowed: bool) -> None:
    assert allows({"Statement": statement(Condition=condition)}) is not narrowed


def test_a_rule_can_name_further_conditions_that_narrow() -> None:
    row = statement(
        Action="sts:AssumeRole",
        Principal={"AWS": OTHER},
        Condition={"StringEquals": {"sts:ExternalId": "x"}},
    )
    operand = {"principal": "other_accounts", "action": "sts:AssumeRole"}
    assert allows({"Statement": row}, operand)
    assert not allows({"Statement": row}, {**operand, "unless": ["sts:ExternalId"]})


@pytest.mark.parametrize(
    ("denial", "taken_back"),
    [
        (statement(Effect="Deny", Action="s3:*"), True),
        (statement(Effect="Deny", Action="s3:Put*"), False),
        (statement(Effect="Deny", Principal={"AWS": OTHER}), False),
        (statement(Effect="Deny", Resource="arn:aws:s3:::b/secret/*"), False),
        (statement(Effect="Deny", Resource="arn:aws:s3:::b/*"), True),
        (statement(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}}), False),
        (
            statement(Effect="Deny", Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
            True,
        ),
        (
            statement(Effect="Deny", Condition={"NotIpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
            False,
        ),
        (statement(Effect="Deny", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}), False),
        (
            statement(
                Effect="Deny",
                Condition={
                    "StringNotEquals": {"aws:SourceVpce": "v"},
                    "Bool": {"aws:SecureTransport": "false"},
                },
            ),
            False,
        ),
    ],
)
def test_denials_take_back_what_they_cover(denial: dict[str, Any], taken_back: bool) -> None:
    document = {"Statement": [denial, statement(Resource="arn:aws:s3:::b/*")]}
    assert allows(document) is not taken_back


def test_a_denial_under_a_condition_leaves_an_identity_its_grant() -> None:
    rows = [
        {k: v for k, v in row.items() if k != "Principal"}
        for row in (statement(), statement(Effect="Deny"))
    ]
    assert not allows({"Statement": rows}, {"action": "s3:GetObject"})
    for condition in ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, "broken"):
        rows[1]["Condition"] = condition
        assert allows({"Statement": rows}, {"action": "s3:GetObject"})


def test_a_denial_whose_condition_cannot_be_read_takes_nothing_back() -> None:
    assert allows({"Statement": [statement(), statement(Effect="Deny", Condition="broken")]})


def test_the_statement_that_grants_is_named() -> None:
    document = {"Statement": [statement(Action="s3:Put*"), statement()]}
    assert granting(document, grant(ANYONE), OWN) == 1


@pytest.mark.parametrize(
    ("operand", "message"),
    [
        ("anyone", "takes a mapping"),
        ({"principal": "anyone"}, "needs an action"),
        ({"action": "GetObject"}, "needs an action"),
        ({"action": "*", "principle": "anyone"}, "does not know 'principle'"),
        ({"action": "*", "principal": "everyone"}, "does not know principal 'everyone'"),
        ({"action": "*", "resource": ["*"]}, "takes one resource"),
    ],
)
def test_an_operand_that_is_wrong_says_how(operand: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        grant(operand)


@given(st.text("ab*?", max_size=6), st.text("ab*?", max_size=6))
@settings(derandomize=True)
def test_wildcards_match_as_their_regular_expression_would(pattern: str, text: str) -> None:
    translated = "".join({"*": ".*", "?": "."}.get(char, char) for char in pattern)
    assert glob(pattern, text) is bool(re.fullmatch(translated, text))


def test_a_hostile_pattern_takes_no_time() -> None:
    started = time.process_time()
    assert not glob("*a" * 200 + "b", "a" * 2000)
    assert time.process_time() - started < 5
