"""Each place where credentials may be flips its provider, and no other, to configured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infrascan.providers import configured

SOME = "something"
# Provider, and what alone makes it configured: a variable, or a file in the home.
SOURCES = (
    ("aws", "AWS_ACCESS_KEY_ID", ""),
    ("aws", "AWS_PROFILE", ""),
    ("aws", "AWS_DEFAULT_PROFILE", ""),
    ("aws", "AWS_WEB_IDENTITY_TOKEN_FILE", ""),
    ("aws", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""),
    ("aws", "AWS_CONTAINER_CREDENTIALS_FULL_URI", ""),
    ("aws", "", ".aws/credentials"),
    ("aws", "", ".aws/config"),
    ("aws", "AWS_SHARED_CREDENTIALS_FILE", "elsewhere/credentials"),
    ("aws", "AWS_CONFIG_FILE", "elsewhere/config"),
    ("k8s", "", ".kube/config"),
    ("k8s", "KUBECONFIG", "elsewhere/kubeconfig"),
    ("gcp", "GOOGLE_APPLICATION_CREDENTIALS", "elsewhere/key.json"),
    ("gcp", "", ".config/gcloud/application_default_credentials.json"),
    ("azure", "AZURE_CLIENT_ID", ""),
    ("azure", "AZURE_FEDERATED_TOKEN_FILE", ""),
    ("azure", "IDENTITY_ENDPOINT", ""),
    ("azure", "", ".azure/azureProfile.json"),
    ("cloudflare", "CLOUDFLARE_API_TOKEN", ""),
    ("cloudflare", "CLOUDFLARE_API_KEY", ""),
    ("hetzner", "HCLOUD_TOKEN", ""),
    ("hetzner", "", ".config/hcloud/cli.toml"),
    ("hetzner", "HCLOUD_CONFIG", "elsewhere/cli.toml"),
    ("digitalocean", "DIGITALOCEAN_ACCESS_TOKEN", ""),
    ("digitalocean", "DIGITALOCEAN_TOKEN", ""),
    ("digitalocean", "", ".config/doctl/config.yaml"),
    ("github", "GITHUB_TOKEN", ""),
    ("github", "GH_TOKEN", ""),
    ("github", "", ".config/gh/hosts.yml"),
    ("docker", "DOCKER_HOST", ""),
    ("docker", "DOCKER_CONTEXT", ""),
    ("prometheus", "PROMETHEUS_URL", ""),
    ("alertmanager", "ALERTMANAGER_URL", ""),
    ("loki", "LOKI_URL", ""),
    ("grafana", "GRAFANA_URL", ""),
    ("jaeger", "JAEGER_URL", ""),
    ("ollama", "OLLAMA_URL", ""),
    ("pagerduty", "PAGERDUTY_TOKEN", ""),
)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """A machine with no credentials but what is put there; gives what is configured on it."""
    import os

    for name in list(os.environ):
        if name not in ("PATH", "LC_ALL", "LANG", "PYTHONPATH"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.chdir(tmp_path)
    return lambda: set(configured())


@pytest.mark.parametrize(("provider", "variable", "file"), SOURCES)
def test_each_source_alone_flips_its_provider(
    bare: Callable[[], set[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    variable: str,
    file: str,
):
    before = bare()
    assert provider not in before or provider in {"docker", "azure"}  # this machine may be one
    if file:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(SOME)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / file) if file else SOME)

    assert bare() == before | {provider}


@pytest.mark.parametrize("file", sorted({file for _, _, file in SOURCES if file}))
def test_an_empty_file_is_no_source(bare: Callable[[], set[str]], tmp_path: Path, file: str):
    before = bare()
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("")

    assert bare() == before


@pytest.mark.parametrize(
    "variable", sorted({name for _, name, file in SOURCES if name and not file})
)
def test_an_empty_variable_is_no_source(
    bare: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch, variable: str
):
    before = bare()
    monkeypatch.setenv(variable, "")

    assert bare() == before


def test_a_state_beside_us_is_a_source(bare: Callable[[], set[str]], tmp_path: Path):
    before = bare()
    (tmp_path / "terraform.tfstate").write_text("{}")

    assert bare() == before | {"terraform"}
