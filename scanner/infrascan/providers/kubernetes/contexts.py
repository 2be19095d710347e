"""Which clusters the kubeconfig names, and the client for each.

The `kubernetes` package turns a kubeconfig's user and cluster into connection settings; its
typed models and calls are not used. What it gets wrong is done here: files are merged as kubectl
does (the first to name a thing wins, the current context too), and a credential plugin that
fails is an error, where the package would go on without credentials.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from infrascan.model import ReadError, Reason
from infrascan.providers import sdk
from infrascan.providers.kubernetes.plugin import credential

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER = "in-cluster"
LISTS = ("clusters", "contexts", "users")
# Keys that hold paths, relative to the file they stand in.
PATHS: Mapping[str, tuple[str, ...]] = {
    "clusters": ("certificate-authority",),
    "contexts": (),
    "users": ("client-certificate", "client-key", "tokenFile"),
}
POOL = 16  # connections kept open to one API server


def malformed(path: Path, what: str) -> ReadError:
    return ReadError(Reason.MALFORMED, f"kubeconfig {path}: {what}")


def kubeconfigs() -> tuple[list[Path], bool]:
    """The files to merge, in order, and whether KUBECONFIG named them."""
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    if named:
        return [Path(part).expanduser() for part in named], True
    return [Path("~/.kube/config").expanduser()], False


def loaded(path: Path) -> dict[str, Any]:
    """One kubeconfig, checked as far as it is used here. Raises `ReadError`."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        text = path.read_text(encoding="utf-8")
        data = yaml.load(text, Loader=loader)  # noqa: S506 - both loaders are safe ones
    except (OSError, UnicodeDecodeError) as error:
        raise malformed(path, f"cannot be read: {error}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise malformed(path, f"{where}is not YAML") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise malformed(path, "is not a mapping with clusters, users and contexts")
    for name in LISTS:
        entries = data.get(name) or []
        inner = name.removesuffix("s")
        if not isinstance(entries, list) or not all(
            isinstance(e, dict)
            and isinstance(e.get("name"), str)
            and isinstance(e.get(inner) or {}, dict)
            for e in entries
        ):
            raise malformed(path, f"'{name}' is not a list of entries with 'name' and '{inner}'")
        for entry in entries:
            entry[inner] = anchored(entry.get(inner) or {}, PATHS[name], path.parent)
        data[name] = entries
    return data


def anchored(entry: dict[str, Any], keys: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """The entry with its paths made absolute."""
    found = dict(entry)
    for key in keys:
        if isinstance(found.get(key), str) and found[key]:
            found[key] = str(folder / Path(found[key]).expanduser())
    plugin = found.get("exec")
    if isinstance(plugin, dict) and os.sep in str(plugin.get("command", "")):
        found["exec"] = {**plugin, "command": str(folder / str(plugin["command"]))}
    return found


def merged() -> dict[str, Any] | None:
    """All kubeconfigs as one, or None when there is none. Raises `ReadError`."""
    paths, named = kubeconfigs()
    there = [path for path in paths if path.exists()]
    if not there:
        if named:
            listing = ", ".join(map(str, paths))
            raise ReadError(
                Reason.UNAUTHENTICATED, f"KUBECONFIG names {listing}, which does not exist"
            )
        return None
    result: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "source": os.pathsep.join(map(str, there)),
        "current-context": "",
        **{name: [] for name in LISTS},
    }
    for path in there:
        data = loaded(path)
        result["current-context"] = result["current-context"] or data.get("current-context") or ""
        for name in LISTS:
            known = {entry["name"] for entry in result[name]}
            result[name] += [e for e in data.get(name) or () if e["name"] not in known]
    return result


def entry(config: Mapping[str, Any], listing: str, name: Any) -> dict[str, Any] | None:
    """The cluster, context or user of that name."""
    inner = listing.removesuffix("s")
    return next((e[inner] for e in config[listing] if e["name"] == name), None)


def available(service_account: Path) -> dict[str, Any]:
    """Every context there is, as JSON: the answer to `local.Contexts`. Raises `ReadError`."""
    config = merged()
    if config is not None and config["contexts"]:
        contexts = []
        for item in config["contexts"]:
            context = item["context"]
            cluster = entry(config, "clusters", context.get("cluster")) or {}
            contexts.append(
                {
                    "name": item["name"],
                    "server": str(cluster.get("server") or ""),
                    "user": str(context.get("user") or ""),
                    "namespace": str(context.get("namespace") or ""),
                }
            )
        return {
            "source": tilde(config["source"]),
            "current": str(config["current-context"]),
            "contexts": contexts,
        }
    server = in_cluster_server()
    if server and (service_account / "token").is_file():
        namespace = service_account / "namespace"
        here = namespace.read_text(encoding="utf-8").strip() if namespace.is_file() else ""
        return {
            "source": "service account of this pod",
            "current": IN_CLUSTER,
            "contexts": [
                {"name": IN_CLUSTER, "server": server, "user": "service account", "namespace": here}
            ],
        }
    return {"source": tilde(config["source"]) if config else "", "current": "", "contexts": []}


def tilde(source: str) -> str:
    home = str(Path.home())
    return os.pathsep.join(
        "~" + path.removeprefix(home) if path.startswith(home + os.sep) else path
        for path in source.split(os.pathsep)
    )


def in_cluster_server() -> str:
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        return ""
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def connection(context: str, service_account: Path) -> tuple[Any, datetime | None]:
    """A `kubernetes.client.ApiClient` for one context, and when its credentials expire.

    Runs the credential plugin if the context has one, so it may take seconds. Raises `ReadError`.
    """
    sdk.imported("kubernetes.client", "kubernetes.config")
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.incluster_config import InClusterConfigLoader
    from kubernetes.config.kube_config import KubeConfigLoader

    settings = Configuration()
    settings.connection_pool_maxsize = POOL
    expires: datetime | None = None
    config = merged()
    try:
        if context == IN_CLUSTER and (config is None or not entry(config, "contexts", context)):
            loader: Any = InClusterConfigLoader  # untyped
            loader(
                token_filename=str(service_account / "token"),
                cert_filename=str(service_account / "ca.crt"),
            ).load_and_set(settings)
        else:
            expires = with_plugin(config or {}, context)
            loader = KubeConfigLoader
            loader(config_dict=config, active_context=context, config_base_path="").load_and_set(
                settings
            )
    except (ConfigException, OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(
            Reason.UNAUTHENTICATED, f"context {context} cannot be used: {error}"
        ) from error
    return ApiClient(configuration=settings), expires


def with_plugin(config: dict[str, Any], context: str) -> datetime | None:
    """Put what the context's credential plugin gives into its user; return when that expires."""
    chosen = entry(config, "contexts", context) if config else None
    if chosen is None:
        raise ValueError("the kubeconfig does not have it")
    cluster = entry(config, "clusters", chosen.get("cluster"))
    if cluster is None or not cluster.get("server"):
        raise ValueError(f"cluster '{chosen.get('cluster')}' has no server in the kubeconfig")
    user = entry(config, "users", chosen.get("user")) or {}
    plugin = user.get("exec")
    if not isinstance(plugin, dict):
        return None
    secrets, expires = credential(plugin, cluster)
    kept = {key: value for key, value in user.items() if key != "exec"}
    for item in config["users"]:
        if item["name"] == chosen.get("user"):
            item["user"] = {**kept, **secrets}
    return expires
