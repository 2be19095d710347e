"""Which providers seem to have credentials here, from environment and files. Nothing is imported,
parsed or asked over a network."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path


def aws() -> bool:
    variables = (
        *("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"),
        *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    )
    files = (
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials",
        os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config",
    )
    return named(*variables) or any(map(filled, files)) or on_ec2()


def on_ec2() -> bool:
    """Whether this machine is an EC2 instance that may use its role, by what its firmware says."""
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return False
    try:
        return Path("/sys/class/dmi/id/sys_vendor").read_text().startswith("Amazon EC2")
    except OSError:
        return False


def k8s() -> bool:
    paths = os.environ.get("KUBECONFIG") or "~/.kube/config"
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 (a path)
    return any(map(filled, (*paths.split(os.pathsep), token)))


def gcp() -> bool:
    home = os.environ.get("CLOUDSDK_CONFIG") or "~/.config/gcloud"
    file = f"{home}/application_default_credentials.json"
    return named("GOOGLE_APPLICATION_CREDENTIALS") or filled(file) or on_google()


def on_google() -> bool:
    """Whether this machine is one of Google's, whose metadata server gives credentials."""
    if os.environ.get("NO_GCE_CHECK", "").lower() == "true":
        return False
    if named("GCE_METADATA_HOST", "K_SERVICE"):
        return True
    try:
        return "Google" in Path("/sys/class/dmi/id/product_name").read_text()
    except OSError:
        return False


def azure() -> bool:
    home = os.environ.get("AZURE_CONFIG_DIR") or "~/.azure"
    variables = (
        *("AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
        *("IDENTITY_ENDPOINT", "MSI_ENDPOINT"),
    )
    return named(*variables) or filled(f"{home}/azureProfile.json") or on_azure()


def on_azure() -> bool:
    """Whether this machine is one of Azure's, by what its firmware says: it may have an identity."""
    tag = "7783-7084-3265-9085-8269-3286-77"
    try:
        return Path("/sys/class/dmi/id/chassis_asset_tag").read_text().strip() == tag
    except (OSError, ValueError):
        return False


def cloudflare() -> bool:
    return named("CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY")


def hetzner() -> bool:
    config = os.environ.get("HCLOUD_CONFIG") or "~/.config/hcloud/cli.toml"
    return named("HCLOUD_TOKEN") or filled(config)


def digitalocean() -> bool:
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    if sys.platform == "darwin":
        folder = "~/Library/Application Support"
    config = f"{folder}/doctl/config.yaml"
    return named("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN") or filled(config)


def github() -> bool:
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    home = os.environ.get("GH_CONFIG_DIR") or f"{config}/gh"
    return named("GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN") or filled(f"{home}/hosts.yml")


def docker() -> bool:
    if named("DOCKER_HOST", "DOCKER_CONTEXT"):
        return True
    user = f"/run/user/{os.getuid()}/docker.sock" if hasattr(os, "getuid") else ""
    contexts = Path(os.environ.get("DOCKER_CONFIG") or "~/.docker").expanduser() / "contexts/meta"
    return any(Path(path).exists() for path in ("/var/run/docker.sock", user, contexts) if path)


def terraform() -> bool:
    """A state beside us: the working directory is that of a Terraform configuration."""
    return filled("terraform.tfstate") or filled(".terraform/terraform.tfstate")


PROVIDERS: Mapping[str, Callable[[], bool]] = {
    "aws": aws,
    "gcp": gcp,
    "azure": azure,
    "k8s": k8s,
    "cloudflare": cloudflare,
    "hetzner": hetzner,
    "digitalocean": digitalocean,
    "github": github,
    "docker": docker,
    "terraform": terraform,
}


# What watches an estate, by the variable that says where it is.
PLANES: Mapping[str, str] = {
    "prometheus": "PROMETHEUS_URL",
    "alertmanager": "ALERTMANAGER_URL",
    "loki": "LOKI_URL",
    "grafana": "GRAFANA_URL",
    "jaeger": "JAEGER_URL",
    "ollama": "OLLAMA_URL",
    "pagerduty": "PAGERDUTY_TOKEN",
}


def planes() -> tuple[str, ...]:
    return tuple(name for name, variable in PLANES.items() if named(variable))


def named(*variables: str) -> bool:
    return any(os.environ.get(name) for name in variables)


def filled(path: str) -> bool:
    """Whether there is a file with something in it."""
    try:
        return bool(path) and Path(path).expanduser().stat().st_size > 0
    except OSError:
        return False
