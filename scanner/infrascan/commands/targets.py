"""What a command is aimed at where it does not say: the current context, profile or project.

An approval covers the target. These are read from the tools' own configuration, without running
them, when the command is proposed and again before it runs: where they differ, it does not run.
"""

from __future__ import annotations

import configparser
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infrascan.commands.nouns import Parsed

LARGEST = 4 * 1024 * 1024
Variables = Mapping[str, str]


def resolved(parsed: Parsed, cwd: Path, variables: Variables | None = None) -> dict[str, str]:
    """The command's target with what the tool would choose by itself. Not known is left out."""
    found = os.environ if variables is None else variables
    default = DEFAULTS.get(parsed.tool)
    chosen = default(parsed, cwd, found) if default else {}
    return {name: value for name, value in (chosen | dict(parsed.target)).items() if value}


def configured(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            return ""
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


def loaded(path: Path) -> dict[str, Any]:
    """A YAML or JSON file of a tool as a map; empty where there is none."""
    import yaml

    try:
        data = yaml.safe_load(configured(path))
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def home(variables: Variables) -> Path:
    return Path(variables.get("HOME") or "/nonexistent")


def kubernetes(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    paths = [
        Path(each)
        for each in variables.get("KUBECONFIG", "").split(os.pathsep)
        if each
    ] or [home(variables) / ".kube" / "config"]  # fmt: skip
    files = [loaded(path) for path in paths]
    current = next((f["current-context"] for f in files if f.get("current-context")), "")
    context = parsed.target.get("context") or str(current)
    about = named(files, "contexts", context).get("context", {})
    about = about if isinstance(about, dict) else {}
    cluster = named(files, "clusters", str(about.get("cluster", ""))).get("cluster", {})
    server = cluster.get("server", "") if isinstance(cluster, dict) else ""
    return {
        "context": context,
        "namespace": str(about.get("namespace") or "default"),
        "server": str(server),
        "as": str(about.get("user", "")),
    }


def named(files: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    for file in files:
        for entry in file.get(kind) or []:
            if isinstance(entry, dict) and entry.get("name") == name:
                return entry
    return {}


def aws(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    profile = parsed.target.get("profile") or variables.get("AWS_PROFILE") or "default"
    own = variables.get("AWS_ACCESS_KEY_ID", "")
    key = f"key {hashlib.sha256(own.encode()).hexdigest()[:8]}" if own else ""
    region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or ""
    if not region:
        path = variables.get("AWS_CONFIG_FILE") or home(variables) / ".aws" / "config"
        section = "default" if profile == "default" else f"profile {profile}"
        region = ini(Path(path), section, "region")
    return {"profile": profile, "region": region, "credentials": key}


def ini(path: Path, section: str, key: str) -> str:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(configured(path))
        return parser.get(section, key, fallback="")
    except configparser.Error:
        return ""


def gcloud(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    folder = Path(variables.get("CLOUDSDK_CONFIG") or home(variables) / ".config" / "gcloud")
    active = variables.get("CLOUDSDK_ACTIVE_CONFIG_NAME") or configured(folder / "active_config")
    path = folder / "configurations" / f"config_{Path(active.strip() or 'default').name}"
    return {
        "project": variables.get("CLOUDSDK_CORE_PROJECT") or ini(path, "core", "project"),
        "account": variables.get("CLOUDSDK_CORE_ACCOUNT") or ini(path, "core", "account"),
    }


def azure(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    folder = Path(variables.get("AZURE_CONFIG_DIR") or home(variables) / ".azure")
    known = loaded(folder / "azureProfile.json").get("subscriptions")
    for one in known if isinstance(known, list) else []:
        if isinstance(one, dict) and one.get("isDefault"):
            return {"subscription": str(one.get("id", ""))}
    return {}


def terraform(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    chosen = variables.get("TF_WORKSPACE") or configured(cwd / ".terraform" / "environment")
    return {"folder": str(cwd), "workspace": chosen.strip() or "default"}


def docker(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    folder = Path(variables.get("DOCKER_CONFIG") or home(variables) / ".docker")
    if parsed.target.get("context"):
        return {}
    if host := variables.get("DOCKER_HOST"):
        return {"host": host}
    chosen = variables.get("DOCKER_CONTEXT") or loaded(folder / "config.json").get("currentContext")
    return {"context": str(chosen or "default")}


def github(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:
    chosen = {"host": variables.get("GH_HOST", "github.com"), "repo": variables.get("GH_REPO", "")}
    return chosen | {"folder": "" if parsed.target.get("repo") or chosen["repo"] else str(cwd)}


def digitalocean(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    folder = variables.get("XDG_CONFIG_HOME") or home(variables) / ".config"
    chosen = variables.get("DIGITALOCEAN_CONTEXT") or loaded(
        Path(folder) / "doctl" / "config.yaml"
    ).get("context")
    return {"context": str(chosen or "default")}


def hetzner(parsed: Parsed, cwd: Path, variables: Variables) -> dict[str, str]:  # noqa: ARG001
    import tomllib

    folder = variables.get("XDG_CONFIG_HOME") or home(variables) / ".config"
    path = Path(variables.get("HCLOUD_CONFIG") or Path(folder) / "hcloud" / "cli.toml")
    try:
        file = tomllib.loads(configured(path))
    except tomllib.TOMLDecodeError:
        file = {}
    return {"context": variables.get("HCLOUD_CONTEXT") or str(file.get("active_context", ""))}


DEFAULTS: Mapping[str, Callable[[Parsed, Path, Variables], dict[str, str]]] = {
    "kubectl": kubernetes,
    "helm": kubernetes,
    "aws": aws,
    "gcloud": gcloud,
    "az": azure,
    "terraform": terraform,
    "docker": docker,
    "gh": github,
    "doctl": digitalocean,
    "hcloud": hetzner,
}
