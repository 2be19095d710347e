"""Which states and plans there are: what the user named, or what lies where we are.

Files are read and named here; what leaves is names relative to what the user gave, and of a
backend's settings those that say where it is. Settings that hold a secret are never taken over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infrascan.model import Reason
from infrascan.providers.terraform.documents import kind_of

MOST = 500  # states of one folder
DEEPEST = 12  # folders below it
WORKSPACES = "terraform.tfstate.d"
UNREADABLE = "?"  # a backend that cannot be told
SKIPPED = frozenset({".terraform", ".git", "node_modules", ".venv"})
SCHEMES: Mapping[str, str] = {
    "s3": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "azurerm": "azurerm",
    "http": "http",
    "https": "http",
}
# Of a backend's settings: where the state is, and how it is kept. Never a key or a password.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "s3": (
        *("bucket", "key", "region", "profile", "encrypt", "kms_key_id", "dynamodb_table"),
        *("use_lockfile", "workspace_key_prefix"),
    ),
    "gcs": ("bucket", "prefix", "kms_encryption_key"),
    "azurerm": (
        *("resource_group_name", "storage_account_name", "container_name", "key"),
        *("subscription_id", "use_azuread_auth", "snapshot"),
    ),
    "http": ("lock_method", "update_method"),
    "remote": ("hostname", "organization"),
    "cloud": ("hostname", "organization"),
    "local": (),
}
LOCKS = frozenset({"remote", "cloud", "gcs", "azurerm", "kubernetes", "pg", "consul", "local"})


@dataclass(kw_only=True)
class Place:
    """Where one document is. `path`, `url` and `way` stay on this machine.

    With a `problem` there is no document: the line says what was not looked into, and why.
    """

    name: str
    form: str  # "state" or "plan"
    backend: str  # "local", "file", "s3", …
    config: dict[str, Any] = field(default_factory=dict)
    locking: bool | None = None  # whether two runs at once are kept apart; None: cannot be told
    path: Path | None = None
    url: str = ""
    way: dict[str, Any] = field(default_factory=dict)  # how a backend is reached: roles, endpoint
    problem: str = ""
    reason: str = ""  # of the problem

    def told(self) -> dict[str, Any]:
        """What may leave this machine."""
        return {k: v for k, v in asdict(self).items() if k not in {"path", "url", "way"}}


def find(wanted: tuple[str, ...]) -> tuple[list[Place], str]:
    """The places of what is wanted, by default of this folder. With a line when one is not there."""
    found: list[Place] = []
    for given in wanted or (".",):
        scheme = given.partition("://")[0] if "://" in given else ""
        if scheme:
            place = remote(given, SCHEMES.get(scheme, scheme))
            if isinstance(place, str):
                return [], place
            found.append(place)
            continue
        path = Path(given).expanduser()
        if not path.exists():
            return [], missing(given, path)
        found += folder(path, given, deep=bool(wanted)) if path.is_dir() else [single(path, given)]
    return unique(found), ""


def missing(given: str, path: Path) -> str:
    near: list[str] = []
    if path.parent.is_dir():
        names = [p.name for p in path.parent.iterdir() if not p.name.startswith(".")]
        near = get_close_matches(path.name, names, n=1, cutoff=0.5)
    meant = f"; did you mean '{Path(given).with_name(near[0])}'?" if near else ""
    return f"there is no state, plan or folder '{given}'{meant}"


def unique(found: list[Place]) -> list[Place]:
    """The same place once; two of one name are told apart by a number."""
    seen: dict[str, int] = {}
    paths: set[Any] = set()
    result = []
    for place in found:
        mark = place.path.resolve() if place.path else place.name
        if mark in paths:
            continue
        paths.add(mark)
        seen[place.name] = seen.get(place.name, 0) + 1
        if seen[place.name] > 1:
            place.name = f"{place.name} ({seen[place.name]})"
        result.append(place)
    return result


def single(path: Path, given: str) -> Place:
    form = "plan" if not path.name.endswith(".tfstate") and peeked(path) == "plan" else "state"
    kept = in_use(path) if form == "state" else "file"
    return Place(
        name=name_of(path, path.parent, given),
        form=form,
        backend=kept,
        locking=True if kept == "local" else None,
        path=path,
    )


def peeked(path: Path) -> str:
    try:
        return kind_of(path.read_bytes())
    except OSError:
        return "state"


def in_use(path: Path) -> str:
    """Whether a state file is where Terraform itself keeps it, or a copy."""
    if path.parent.parent.name == WORKSPACES:
        top = path.parent.parent.parent
    elif path.name == "terraform.tfstate":
        top = path.parent
    else:
        return "file"
    return "local" if backend_of(top)[0] in {"", "local"} else "file"


def name_of(path: Path, root: Path, given: str) -> str:
    """`prod/network` for prod/network/terraform.tfstate; `prod/network:eu` for its workspace eu."""
    parts = list(path.relative_to(root).parts)
    last = parts.pop()
    stem = last.removesuffix(".tfstate").removesuffix(".json")
    if stem != "terraform":
        parts.append(stem)
    if len(parts) > 1 and parts[-2] == WORKSPACES:
        parts[-2:] = [f":{parts[-1]}"]
    name = "/".join(parts).replace("/:", ":")
    if not name or name.startswith(":"):
        name = (
            Path(given).expanduser().resolve() if root == path.parent or not name else root
        ).name + name
    return name or "terraform"


def folder(root: Path, given: str, *, deep: bool) -> Iterator[Place]:
    """What lies in a folder: states, shown plans, and the backends that configurations use."""
    count = 0
    closed: list[OSError] = []
    for top, names, files in os.walk(root, onerror=closed.append):
        here = Path(top)
        below = here.relative_to(root)
        if (here / ".terraform" / "terraform.tfstate").exists():
            yield from backend(here, below.as_posix(), root.resolve().name)
        workspaces = here.name == WORKSPACES or WORKSPACES in here.parts
        names[:] = sorted(
            n for n in names if n not in SKIPPED and (deep or workspaces or n == WORKSPACES)
        )
        if len(below.parts) >= DEEPEST and names:
            detail = f"folders more than {DEEPEST} levels down are not looked into; name them"
            yield left_out(f"{given}/{below.as_posix()}", detail, Reason.OUT_OF_SCOPE)
            names.clear()
        for file in sorted(files):
            if not wanted_file(here / file):
                continue
            count += 1
            if count > MOST:
                detail = f"the folder holds more than {MOST} states; name the folders in it"
                yield left_out(given, detail, Reason.TRUNCATED)
                return
            yield document(here / file, root, given)
    for error in closed:
        where = Path(str(error.filename)).relative_to(root).as_posix()
        yield left_out(f"{given}/{where}", f"cannot be read: {error.strerror}", Reason.DENIED)


def document(path: Path, root: Path, given: str) -> Place:
    form = "state" if path.name.endswith(".tfstate") else "plan"
    kept = in_use(path) if form == "state" else "file"
    return Place(
        name=name_of(path, root, given),
        form=form,
        backend=kept,
        locking=True if kept == "local" else None,
        path=path,
    )


def left_out(name: str, problem: str, reason: Reason) -> Place:
    """Something that was not looked into, so that nobody takes it for empty."""
    name = name.removesuffix("/.")
    return Place(name=name, form="state", backend="local", problem=problem, reason=reason.value)


def wanted_file(path: Path) -> bool:
    if path.name.endswith(".tfstate"):
        return True
    if path.suffix != ".json" or "plan" not in path.name:
        return False
    return peeked(path) == "plan" or not os.access(path, os.R_OK)


def backend_of(top: Path) -> tuple[str, Mapping[str, Any]]:
    """Type and settings of the backend that a configuration was initialised with.

    "" for none, and UNREADABLE where that cannot be told.
    """
    place = top / ".terraform" / "terraform.tfstate"
    try:
        found = json.loads(place.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return "", {}
    except (OSError, ValueError):
        return UNREADABLE, {}
    told = found.get("backend") if isinstance(found, dict) else None
    if not isinstance(told, dict):
        return "", {}
    config = told.get("config")
    return str(told.get("type", "")), config if isinstance(config, dict) else {}


def backend(top: Path, name: str, own: str) -> Iterator[Place]:
    """The place of a configuration's remote state; a local one is found as a file."""
    kind, config = backend_of(top)
    if not kind or kind == "local":
        return
    label = own if name == "." else name
    if kind == UNREADABLE:
        detail = "its .terraform/terraform.tfstate, which says where the state is, cannot be read"
        yield left_out(label, f"{detail}: run terraform init, or name the state", Reason.MALFORMED)
        return
    workspace = selected(top)
    kept = {k: config[k] for k in SETTINGS.get(kind, ()) if config.get(k) not in (None, "")}
    if workspace != "default":
        label = f"{label}:{workspace}"
    where(kind, kept, workspace)
    yield Place(
        name=label,
        form="state",
        backend=kind,
        config=kept,
        locking=locks(kind, config),
        url=str(config.get("address") or "") if kind == "http" else "",
        way=way(config) if kind == "s3" else {},
    )
    if kind in {"s3", "gcs", "azurerm"} and worked_in(top):
        detail = f"workspaces are in use, and only '{workspace}' is read: name the others' states"
        yield left_out(f"{label} (other workspaces)", detail, Reason.OUT_OF_SCOPE)


def worked_in(top: Path) -> bool:
    """Whether somebody has ever chosen a workspace here: then the backend holds more than one."""
    return bool(os.environ.get("TF_WORKSPACE")) or (top / ".terraform" / "environment").exists()


# Of an s3 backend's roles: the setting, and what AssumeRole calls it.
ROLE: Mapping[str, str] = {
    "role_arn": "RoleArn",
    "external_id": "ExternalId",
    "policy": "Policy",
}


def way(config: Mapping[str, Any]) -> dict[str, Any]:
    """How Terraform reaches a bucket beyond naming it: by roles, at an endpoint."""
    given = config.get("assume_role")
    roles = given if isinstance(given, list) else [given] if given else [config]
    taken = [
        {theirs: str(role[ours]) for ours, theirs in ROLE.items() if role.get(ours)}
        for role in roles
        if isinstance(role, dict) and role.get("role_arn")
    ]
    endpoints = config.get("endpoints")
    if isinstance(endpoints, list):
        endpoints = endpoints[0] if endpoints else None
    own = endpoints.get("s3") if isinstance(endpoints, dict) else None
    web = bool(config.get("assume_role_with_web_identity"))
    return {"roles": taken, "endpoint": str(own or config.get("endpoint") or ""), "web": web}


def selected(top: Path) -> str:
    if name := os.environ.get("TF_WORKSPACE"):
        return name
    try:
        return (top / ".terraform" / "environment").read_text().strip() or "default"
    except OSError:
        return "default"


def where(kind: str, config: dict[str, Any], workspace: str) -> None:
    """Put the workspace into the settings, as each backend does."""
    other = workspace != "default"
    if kind == "s3" and other:
        config["key"] = (
            f"{config.get('workspace_key_prefix', 'env:')}/{workspace}/{config.get('key', '')}"
        )
    elif kind == "azurerm" and other:
        config["key"] = f"{config.get('key', '')}env:{workspace}"
    elif kind == "gcs":
        config["object"] = f"{str(config.get('prefix', '')).strip('/')}/{workspace}.tfstate".lstrip(
            "/"
        )


def locks(kind: str, config: Mapping[str, Any]) -> bool | None:
    if kind == "s3":
        return bool(config.get("dynamodb_table") or config.get("use_lockfile"))
    if kind == "http":
        return bool(config.get("lock_address"))
    return True if kind in LOCKS else None


def remote(given: str, kind: str) -> Place | str:
    """The place a URL names, or the line that says what is wrong with it."""
    parts = urlsplit(given)
    path = parts.path.lstrip("/")
    query = dict(parse_qsl(parts.query))
    name = given.partition("?")[0]
    config: dict[str, Any]
    if kind == "s3":
        config = {"bucket": parts.netloc, "key": path, **picked(query, ("region", "profile"))}
    elif kind == "gcs":
        config = {"bucket": parts.netloc, "object": path}
    elif kind == "azurerm":
        account, _, rest = f"{parts.netloc}/{path}".partition("/")
        container, _, key = rest.partition("/")
        config = {"storage_account_name": account, "container_name": container, "key": key}
    elif kind == "http":
        return Place(name=f"{parts.hostname}/{path}", form="state", backend="http", url=given)
    else:
        return f"'{given}' is no place of a state: s3://BUCKET/KEY, gs://BUCKET/OBJECT, azurerm://ACCOUNT/CONTAINER/KEY, a path"
    if not all(config.get(k) for k in list(config)[:2]) or (
        kind == "azurerm" and not config["key"]
    ):
        return f"'{given}' names no object; give s3://BUCKET/KEY, gs://BUCKET/OBJECT or azurerm://ACCOUNT/CONTAINER/KEY"
    return Place(name=name, form="state", backend=kind, config=config)


def picked(found: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: found[name] for name in names if name in found}


def lock_of(path: Path) -> dict[str, Any] | None:
    """Who holds a local state, as Terraform wrote it beside it; None when nobody does."""
    beside = path.with_name(f".{path.name}.lock.info")
    try:
        found = json.loads(beside.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {"Operation": None, "Who": None, "Created": None}
    return held(found)


def held(found: Any) -> dict[str, Any]:
    """What is kept of a lock: not the path, which is of somebody's machine."""
    kept = found if isinstance(found, dict) else {}
    return {name: kept.get(name) for name in ("Operation", "Who", "Version", "Created")}
