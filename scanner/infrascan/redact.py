"""The one way out for strings: secrets are taken out of an answer before anything keeps it.

The collect engine passes every answer through `scrub`, ahead of recording, journal, store,
reports, MCP and models; logs and errors pass through `text`. A secret is replaced by a mark that
names its class, so that a rule can still say "this variable holds a private key".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

MARK = "[redacted]"
MANY = 8
LONG = 20_000  # characters, from which on a text is looked at only around what hints at a secret

# What stands before a token may be a part of a name (`CI_ghp_...`), but no letter or digit.
START = r"(?<![A-Za-z0-9])"
NAMES = (
    r"(?:password|passwd|passphrase|pwd|secret|token|api_?key|private_?key|connection_?string"
    r"|(?:secret|signing|encryption|master|shared)_?(?:access_?)?key|(?<=[_\-.])pass)"
)
QUOTES = r"[\"'\\]{0,8}"
TIED = QUOTES + r"\s{0,8}[=:]\s{0,8}" + QUOTES  # a name to its value
NO_NAME = r"(?!(?i:[a-z0-9_\-.]{0,40}" + NAMES + r")" + QUOTES + r"\s{0,8}[=:])"
FLAGS = r"(?:password|passwd|token|(?:api|access|secret|private)-?key|client-secret)"
# class -> pattern. The group `keep`, where there is one, is what stays readable before the secret.
PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "private-key",
        r"-{0,5}BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-{2,5}[\s\S]*?(?:-{2,5}END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-{0,5}|\Z)",
    ),
    (
        "github-token",
        START + r"(?:gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{40,255})",
    ),
    (
        "gitlab-token",
        START + r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[A-Za-z0-9_\-]{20,64}",
    ),
    ("slack-token", START + r"(?:xox[abceprs]|xapp)-[A-Za-z0-9\-]{10,255}"),
    ("slack-webhook", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_\-]{20,}"),
    # Of one that was cut off, what is there. A longer header than this is no token's.
    (
        "jwt",
        START + r"eyJ[A-Za-z0-9_\-]{8,2048}\.eyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){0,4}",
    ),
    ("google-api-key", START + r"AIza[A-Za-z0-9_\-]{35}"),
    ("google-oauth-token", START + r"ya29\.[A-Za-z0-9_\-]{20,}"),
    ("stripe-key", START + r"(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,255}"),
    ("anthropic-key", START + r"sk-ant-[A-Za-z0-9_\-]{24,255}"),
    ("openai-key", START + r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_\-]{32,255}"),
    ("sendgrid-key", START + r"SG\.[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{16,64}"),
    ("npm-token", START + r"npm_[A-Za-z0-9]{36}"),
    ("pypi-token", START + r"pypi-[A-Za-z0-9_\-]{50,}"),
    ("docker-token", START + r"dckr_(?:pat|oat)_[A-Za-z0-9_\-]{20,}"),
    ("digitalocean-token", START + r"do[opr]_v1_[a-f0-9]{64}"),
    ("vault-token", START + r"hv[sbr]\.[A-Za-z0-9_\-]{20,}"),
    ("huggingface-token", START + r"hf_[A-Za-z0-9]{30,}"),
    ("grafana-token", START + r"gl(?:sa|c)_[A-Za-z0-9+/_]{32,}={0,2}"),
    ("azure-client-secret", START + r"[A-Za-z0-9_~.\-]{3}[0-9]Q~[A-Za-z0-9_~.\-]{31,34}"),
    ("azure-storage-key", r"(?P<keep1>(?:Account|SharedAccess)Key=)[A-Za-z0-9+/=]{40,}"),
    ("azure-sas", r"(?P<keep2>[?&]sig=)[A-Za-z0-9%+/=]{20,}"),
    ("aws-signature", r"(?P<keep3>X-Amz-(?:Signature|Security-Token)=)[A-Za-z0-9%+/=]{16,}"),
    (
        "aws-secret-key",
        r"(?P<keep4>(?i:(?:aws_?)?secret_?(?:access_?)?key)"
        + TIED
        + r"|(?<![A-Z0-9])A[KS]IA[A-Z0-9]{16}[^A-Za-z0-9/+]{1,8})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    ),
    (
        "url-password",
        START + r"(?P<keep5>(?i:[a-z][a-z0-9+.\-]{1,20})://[^\s/:@\"']{0,128}:)[^\s/@\"']+(?=@)",
    ),
    (
        "bearer-token",  # and no "basic" before the name of something, which has a pattern of its own
        r"(?P<keep6>\b(?i:bearer|basic)\s{1,8})"
        + NO_NAME
        + r"(?!A[KS]IA)[A-Za-z0-9_\-.~+/]{16,}+={0,2}(?!://)",
    ),
    ("npm-token", r"(?P<keep7>:_(?:authToken|auth|password)\s?=\s?[\"']?)[^\s\"'\[]{6,}"),
    (
        "password",  # of `curl -u name:...`
        START
        + r"(?P<keep8>curl\s(?:[^\n]{0,200}?\s)??(?:-u|--user)[\s=][\"']?[^\s:\"']{1,64}:)(?!\[redacted)"
        r"[^\s\"']{4,}",
    ),
    (
        "password",  # of `--password ...`
        r"(?P<keep9>(?<![^\s\"'])--?(?i:[a-z0-9\-]{0,40}" + FLAGS + r")\s[\"']?)"
        r"(?![\[$/\-])[^\s\"']{6,}",
    ),
    (
        "password",
        r"(?P<keep10>(?<!:)(?i:\b[a-z0-9_\-.]{0,40}"
        + NAMES
        + r")"
        + TIED
        + r")"
        + NO_NAME
        + r"(?!\[redacted|\$\{|\{\{|arn:|-{0,5}BEGIN |null\b|true\b|false\b|none\b)"
        + r"(?:(?<=\")[^\"\\]{6,}|(?<=')[^'\\]{6,}|[^\s\"',;&]{6,})",
    ),
)
SECRET = re.compile("|".join(f"(?P<c{i}>{pattern})" for i, (_, pattern) in enumerate(PATTERNS)))
CLASSES: Mapping[str, str] = {f"c{i}": name for i, (name, _) in enumerate(PATTERNS)}

# Each secret holds one of these. RE2 looks for them in a whole answer at once, so the common case,
# no secret anywhere, costs one linear pass; only answers that may hold one are walked. No repeat in
# them is without end where what it repeats can hold another hint: each would be looked for anew.
HINTS = (
    r"PRIVATE KEY|gh[pousr]_|github_pat|gl[a-z]{2,5}[-_]|xox[abceprs]-|xapp-|hooks\.slack"
    r"|eyJ[A-Za-z0-9_\-]{8}|AIza|ya29\.|[rs]k_(?:live|test)|whsec_|sk-[A-Za-z0-9_\-]{24}|SG\.|npm_"
    r"|pypi-|dckr_|do[opr]_v1|hv[sbr]\.|hf_|[0-9]Q~|AccountKey=|AccessKey=|[?&]sig=|X-Amz-S"
    r"|A[KS]IA[A-Z0-9]{16}[^A-Za-z0-9/+\"]|://[^\s/@]*:[^\s/]*@|(?i:bearer|basic)\s"
    r"|:_(?:auth|password)|curl\s|-(?i:[a-z0-9\-]{0,40}(?:passw(?:or)?d|token|key|client-secret)\s)"
    r"|(?i:passw(?:or)?d|passphrase|[_\-.]pass|pwd|secret|token|connection_?string"
    r"|(?:api|access|private|secret|signing|encryption|master|shared)_?key)[\"'\\]*\s*[=:]"
)
NAMED_HINTS = (
    r"(?i:password|passwd|passphrase|[_\-.]pass|pwd|secret|token|credentials?|dsn|connection[_\-]?string"
    r"|(?:api|access|private|secret|signing|encryption|account|shared)[_\-]?key|mysql_pwd|rediscli_auth)\""
)


@cache
def hint() -> Any:
    import re2

    return re2.compile(HINTS)


@cache
def named_hint() -> Any:
    import re2

    return re2.compile(f"{HINTS}|{NAMED_HINTS}")


# A name whose value is a secret, in maps that people fill: tags, labels, variables.
NAMED = re.compile(
    r"(?i)(?:^|[_\-.\s/])(?:password|passwd|passphrase|pwd|secret|token|credentials?|(?:api|access|private|secret|signing|encryption)[_\-]?key|connection[_\-]?string|dsn)$"
    r"|^(?:PGPASSWORD|MYSQL_PWD|REDISCLI_AUTH)$|[_\-.]pass$"
    r"|(?:Password|Secret|Token|ApiKey|PrivateKey|(?:Secret_?|Shared)Access_?Key|AccountKey|ConnectionString)$"
)
# A flag of a command whose next word is a secret; a path or a reference is none.
FLAG = re.compile(r"(?i)--?[a-z0-9\-]*" + FLAGS)
# Vendors' own fields that look so named and hold no secret.
PUBLIC_FIELDS = frozenset(
    {
        "NextToken",
        "nextToken",
        "ContinuationToken",
        "NextContinuationToken",
        "PaginationToken",
        "paginationToken",
        "ClientToken",
        "clientToken",
        "HttpTokens",
        "MasterUserSecret",
        "nextPageToken",
        "automountServiceAccountToken",
        "SecretKey",
    }
)


def text(value: str) -> str:
    """The string with every secret in it replaced by `[redacted:<class>]`."""
    if len(value) < 12 or not hint().search(value):
        return value
    if len(value) > LONG and "PRIVATE KEY" not in value:
        return "".join(parts(value))
    return SECRET.sub(mark, value)


# From a hint on, as far as its secret can reach: no pattern but that of private keys crosses more
# lines than these, beside blank ones.
REACH = re.compile(rb"(?:[\s\"'\\=:]*+[^\n]*+\n){0,3}[\s\"'\\=:]*+[^\n]*+")


def parts(value: str) -> Iterator[str]:
    """A long text without private keys, in parts. RE2 finds the hints in a hundredth of the time
    that the patterns take, and these run over the lines around each hint alone.

    On bytes: RE2 goes through all of a string to say where in it a match is.
    """
    data = value.encode("utf-8", "surrogatepass")
    done = start = end = line = 0
    for found in hint().finditer(data):
        if found.end() <= line:  # on the line of the hint before, whose lines hold it
            continue
        first = data.rfind(b"\n", 0, found.start()) + 1
        if first > end:
            yield decoded(data[done:start]) + SECRET.sub(mark, decoded(data[start:end]))
            done, start = end, first
        line = data.find(b"\n", found.end())
        line = len(data) if line < 0 else line
        reached = REACH.match(data, found.end())
        end = max(end, reached.end() if reached else line)
    yield decoded(data[done:start]) + SECRET.sub(mark, decoded(data[start:end]))
    yield decoded(data[end:])


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def mark(match: re.Match[str]) -> str:
    kept = next((v for k, v in match.groupdict().items() if k.startswith("keep") and v), "")
    name = next(CLASSES[k] for k, v in match.groupdict().items() if k in CLASSES and v is not None)
    return f"{kept}[redacted:{name}]"


def secret_class(name: str, value: str) -> str:
    """What kind of secret a named value holds: "github-token", "password", or "" for none."""
    if value.startswith("[redacted"):
        return value.removeprefix("[redacted").strip(":]")
    if found := SECRET.search(value):
        return next(CLASSES[k] for k, v in found.groupdict().items() if k in CLASSES and v)
    if re.fullmatch(r"A(?:KIA|SIA)[A-Z0-9]{16}", value):
        return "aws-access-key"
    if re.search(r"(?i)aws.?secret", name) and re.fullmatch(r"[A-Za-z0-9/+=]{40}", value):
        return "aws-secret-key"
    return "password" if value and NAMED.search(name) else ""


def environment(variables: Any) -> Any:
    """Environment variables without their values: a map, or a list of {name, value} pairs.

    Each value becomes "[redacted]", or "[redacted:<class>]" where it looks like a secret. Other
    keys of a pair, such as `valueFrom`, stay.
    """
    if isinstance(variables, Mapping):
        return {name: blank(str(name), value) for name, value in variables.items()}
    if isinstance(variables, list):
        return [pair(entry) for entry in variables]
    return variables


def pair(entry: Any) -> Any:
    if not isinstance(entry, Mapping):
        return MARK
    name = next((str(entry[key]) for key in ("name", "Name", "key", "Key") if key in entry), "")
    return {
        key: blank(name, value) if key in {"value", "Value"} else value
        for key, value in entry.items()
    }


def blank(name: str, value: Any) -> str:
    """The mark that stands for a variable's value; an empty value stays empty."""
    if value is None or value == "":
        return ""
    found = secret_class(name, str(value))
    return f"[redacted:{found}]" if found else MARK


def scrub(value: Any) -> Any:
    """JSON data with every secret in it replaced. Data without secrets is returned as it is."""
    if named_hint().search(json.dumps(value, ensure_ascii=False)):
        return walk(value)
    return value


def walk(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        return scrub_map(value)
    if isinstance(value, list):
        # Of a long list most items hold none; looking again costs less than walking them all.
        inner = scrub if len(value) > MANY else walk
        cleaned = [inner(item) for item in value]
        hide_after_flags(value, cleaned)
        return cleaned if any(a is not b for a, b in zip(cleaned, value, strict=True)) else value
    return value


def hide_after_flags(words: list[Any], cleaned: list[Any]) -> None:
    """Of the words of a command, those that follow a flag such as `--password`."""
    for place, (flag, word) in enumerate(pairwise(words), start=1):
        if not (isinstance(flag, str) and isinstance(word, str) and flag.startswith("-")):
            continue
        if FLAG.fullmatch(flag) and word and not word.startswith(("-", "/", "$", "[redacted")):
            cleaned[place] = "[redacted:password]"


def scrub_map(data: dict[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, item in data.items():
        if isinstance(item, str):
            cleaned = scrub_field(data, key, item)
        elif isinstance(item, dict | list):
            cleaned = walk(item)
        else:
            continue
        if cleaned is not item:
            changed[key] = cleaned
    result = {**data, **changed} if changed else data
    if hint().search("\n".join(data)):  # people choose the keys of labels and tags
        return renamed(result)
    return result


def renamed(data: dict[str, Any]) -> dict[str, Any]:
    """The map with no secret in its keys; keys that become the same are told apart."""
    found: dict[str, Any] = {}
    for key, item in data.items():
        name, number = text(key), 1
        while name in found:
            number += 1
            name = f"{text(key)} {number}"
        found[name] = item
    return found


def scrub_field(data: Mapping[str, Any], key: str, item: str) -> str:
    if not item:
        return item
    name = key
    if key in {"value", "Value"}:  # a tag or variable: {"Key": "db_password", "Value": ...}
        name = next((str(data[k]) for k in ("Key", "key", "Name", "name") if k in data), key)
    if NAMED.search(name) and name not in PUBLIC_FIELDS and not item.startswith("[redacted"):
        if item.startswith("arn:") or item.lower() in {"true", "false", "optional", "required"}:
            return item
        return f"[redacted:{secret_class(name, item) or 'password'}]"
    return text(item)
