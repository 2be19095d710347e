"""What of a state or a plan may be kept. A state holds the password of every database it made.

An attribute is taken for a secret when the state marks it, when its name or type says so, or when
its value looks like one. The value is replaced by `[redacted:<class>]`, so that a rule can say
that a secret lies there; `[redacted:sensitive]` stands for what only the mark told us of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infrascan import redact

SENSITIVE = "[redacted:sensitive]"
# Attributes that hold a secret whatever their type, by name.
NAMED = re.compile(
    r"(?i)(?:^|_)(?:password|passwd|passphrase|pwd|secret|token|credentials?|auth_string"
    r"|private_key(?:_pem|_openssh|_pem_pkcs8)?|(?:api|access|signing|encryption|primary|secondary"
    r"|shared|storage|account|master|admin)_key|connection_string|sas|kube_config_raw|pfx|p12)"
    r"(?:_wo|_pem|_base64|_value|_string|_binary|_hash|_plaintext|_encrypted)?$"
    r"|^(?:ses_smtp_password_v4|kube_config|kube_admin_config|client_key|bcrypt_hash|psk|preshared_key)$"
)
# Names that look like it and hold none.
HARMLESS = re.compile(
    r"(?i)^(?:kms_(?:master_)?key_id|.*_key_id|.*_secret_arn|master_user_secret|ssh_public_key"
    r"|manage_master_user_password|.*_secret_id|secret_id|secret|hash_key|range_key|partition_key"
    r"|.*_version|token_key|.*_enabled|.*_name|access_key_id)$"
)
# type -> attributes that are secrets there, and nowhere else.
TYPED: Mapping[str, Mapping[str, str]] = {
    "aws_iam_access_key": {"secret": "aws-secret-key"},
    "aws_ssm_parameter": {"value": "password", "insecure_value": "password"},
    "aws_secretsmanager_secret_version": {
        "secret_string": "password",
        "secret_binary": "password",
    },
    "aws_lambda_invocation": {"result": "sensitive", "input": "sensitive"},
    "azurerm_key_vault_secret": {"value": "password"},
    "azuread_application_password": {"value": "password"},
    "azuread_service_principal_password": {"value": "password"},
    "cloudflare_workers_secret": {"secret_text": "password"},
    "github_actions_secret": {"plaintext_value": "password", "encrypted_value": "password"},
    "google_secret_manager_secret_version": {"secret_data": "password"},
    "google_service_account_key": {"private_key": "private-key"},
    "hcloud_uploaded_certificate": {"private_key": "private-key"},
    "random_password": {"result": "password", "bcrypt_hash": "password"},
    "random_string": {"result": "sensitive"},
    "random_id": {"b64_std": "sensitive", "b64_url": "sensitive", "hex": "sensitive"},
    "random_bytes": {"base64": "sensitive", "hex": "sensitive"},
    "tls_private_key": dict.fromkeys(
        ("private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"), "private-key"
    ),
    "vault_generic_secret": {"data_json": "password", "data": "password"},
    "vault_kv_secret_v2": {"data_json": "password", "data": "password"},
}
# Whole trees that people fill with whatever a program is to be told.
FILLED = frozenset(
    {
        *(
            "user_data",
            "user_data_base64",
            "custom_data",
            "startup_script",
            "metadata_startup_script",
        ),
        *("container_definitions", "variables", "environment", "environment_variables", "env"),
        *("env_vars", "app_settings", "site_config", "connection_info", "triggers", "content"),
        *("content_base64", "sensitive_content", "rendered", "vars", "values", "set_sensitive"),
        *("manifest", "yaml_body", "binary_data", "string_data", "data_wo", "body", "stdout"),
        *("query", "result", "response_body", "parameters_wo", "output", "input", "command"),
    }
)
DATA_OF = ("kubernetes_secret", "kubernetes_config_map", "kubernetes_manifest", "helm_release")


def attributes(kind: str, values: Any, marks: Any = ()) -> dict[str, Any]:
    """The attributes of a resource of this type without its secrets.

    `marks` is what the state says is sensitive: paths (format 4), or a tree (`show -json`).
    """
    kept = blanked(kind, values if isinstance(values, dict) else {}, top=True)
    if isinstance(marks, dict | bool):
        kept = by_tree(kept, marks)
    else:
        for path in marks or ():
            by_path(kept, list(steps(path)))
    return kept if isinstance(kept, dict) else {}


def blanked(kind: str, values: Mapping[str, Any], *, top: bool = False) -> dict[str, Any]:
    """A map of attributes with what its names betray replaced, at any depth."""
    typed = TYPED.get(kind, {}) if top else {}
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in typed:
            found[name] = mark(value, typed[name])
        elif name in FILLED or (name == "data" and kind.startswith(DATA_OF)):
            found[name] = withheld(value)
        elif secret_name(name):
            found[name] = mark(value, class_of(name, value))
        else:
            found[name] = below(kind, value)
    return found


def below(kind: str, value: Any) -> Any:
    if isinstance(value, dict):
        return blanked(kind, value)
    if isinstance(value, list):
        return [below(kind, item) for item in value]
    return redact.text(value) if isinstance(value, str) else value


def secret_name(name: str) -> bool:
    return bool(NAMED.search(name)) and not HARMLESS.search(name)


def mark(value: Any, name: str) -> Any:
    """The mark in place of a value; what is empty, true or false is no secret."""
    if value is None or isinstance(value, bool) or value in ("", [], {}):
        return value
    return f"[redacted:{name}]"


def class_of(name: str, value: Any) -> str:
    if "private_key" in name:
        return "private-key"
    return (redact.secret_class(name, value) if isinstance(value, str) else "") or "password"


def withheld(value: Any) -> Any:
    """A tree of which the names stay and the values go; a text is replaced as a whole."""
    if isinstance(value, dict) and set(value) == {"type", "value"}:
        return withheld(value["value"])  # format 4 says the type of what has none by its schema
    if isinstance(value, dict):
        return {name: redacted(name, inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [withheld(item) for item in value]
    return redact.blank("", value) if isinstance(value, str) and value else value


def redacted(name: str, value: Any) -> Any:
    if isinstance(value, dict | list):
        return withheld(value)
    return redact.blank(name, value) if isinstance(value, str) else value


def steps(path: Any) -> Iterator[Any]:
    """The steps of a sensitive path of format 4: `{type: get_attr, value: password}`."""
    for step in path if isinstance(path, list) else [path]:
        value = step.get("value") if isinstance(step, dict) else step
        yield value.get("value") if isinstance(value, dict) else value


def by_path(place: Any, path: Sequence[Any]) -> None:
    """Replace what is at a path, where it is there and no mark yet."""
    *above, last = path or [None]
    for step in above:
        place = child(place, step)
    inside = child(place, last)
    if inside is None or isinstance(inside, bool):
        return
    if isinstance(place, dict) or (isinstance(place, list) and isinstance(last, int)):
        place[last] = remarked(inside)


def child(place: Any, step: Any) -> Any:
    if isinstance(place, dict):
        return place.get(step)
    if isinstance(place, list) and isinstance(step, int) and step < len(place):
        return place[step]
    return None


def by_tree(values: Any, marks: Any) -> Any:
    """The values with those replaced at which the tree of marks says true."""
    if marks is True:
        return remarked(values)
    if isinstance(marks, dict) and isinstance(values, dict):
        return {name: by_tree(value, marks.get(name)) for name, value in values.items()}
    if isinstance(marks, list) and isinstance(values, list):
        padded = [*marks, *([None] * len(values))]
        return [by_tree(value, padded[at]) for at, value in enumerate(values)]
    return values


def remarked(value: Any) -> Any:
    """The mark for something sensitive; one that names a class stays."""
    if isinstance(value, str) and value.startswith("[redacted:"):
        return value
    return mark(value, "sensitive")


def found_in(values: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Path and class of each mark, in order; values that were only withheld are not told."""
    if isinstance(values, str):
        if values.startswith("[redacted:"):
            yield path, values[len("[redacted:") :].rstrip("]")
    elif isinstance(values, dict):
        for name, value in sorted(values.items()):
            yield from found_in(value, f"{path}.{name}" if path else str(name))
    elif isinstance(values, list):
        for at, value in enumerate(values):
            yield from found_in(value, f"{path}[{at}]")


def changed(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The paths at which two trees differ. Empty, null and missing are the same."""
    if blank(before) and blank(after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted({*before, *after}):
            inside = f"{path}.{name}" if path else str(name)
            yield from changed(before.get(name), after.get(name), inside)
    elif before != after:
        yield path


def blank(value: Any) -> bool:
    return value is None or value in ("", [], {})
