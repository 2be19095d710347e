"""Every platform but AWS and Kubernetes on loopback at once, with faults set between two scans.

The servers hold acme's estate (`fixtures/estates`). One command reads all of them, so that a case
costs one process and not eight; `only` gives the environment of some of them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures.estates import (
    azure_acme,
    cloudflare_acme,
    digitalocean_acme,
    docker_acme,
    gcp_acme,
    github_acme,
    hetzner_acme,
    terraform_acme,
)

from tests.servers import cloudflare, github
from tests.servers.azure import AzureServer
from tests.servers.gcp import GcpServer, Refusal
from tests.servers.proxy import Answer
from tests.servers.rest import Request, RestServer, json_answer

Fault = Callable[[Request], Answer | None]
NAMES = (
    *("gcp", "azure", "cloudflare", "hetzner"),
    *("digitalocean", "github", "docker", "terraform"),
)
ALL = ",".join(NAMES)
OVER_REST = tuple(name for name in NAMES if name != "terraform")
# The variables of each that are secret: none of their values may be written anywhere.
SECRET = (
    *("AZURE_CLIENT_SECRET", "CLOUDFLARE_API_TOKEN", "HCLOUD_TOKEN"),
    *("DIGITALOCEAN_ACCESS_TOKEN", "GITHUB_TOKEN", "TF_HTTP_PASSWORD"),
)


@dataclass(eq=False)
class Platforms:
    """The servers, and the environment that leads to each."""

    folder: Path
    servers: dict[str, RestServer] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    gcp: Any = None

    def only(self, *names: str) -> dict[str, str]:
        """The environment with the credentials of these, by default of all."""
        found = {"NO_GCE_CHECK": "true", "NO_PROXY": "localhost,127.0.0.1"}
        for name in names or NAMES:
            found |= self.variables[name]
        return found

    @property
    def state(self) -> Path:
        return self.folder / "infra" / "prod" / "network" / "terraform.tfstate"

    @contextmanager
    def failing(
        self, faults: Mapping[str, Fault], inventory: Callable[[Any], Refusal | None] | None = None
    ) -> Iterator[None]:
        """Answer some requests of some platforms otherwise, for a while."""
        for name, fault in faults.items():
            self.servers[name].fault = fault
        self.gcp.fault = inventory
        try:
            yield
        finally:
            for server in self.servers.values():
                server.fault = None
            self.gcp.fault = None

    def forget(self) -> None:
        """Forget what was asked until now."""
        for server in self.servers.values():
            server.requests.clear()
        self.gcp.listed.clear()

    def asked(self, name: str) -> list[str]:
        """The paths that were asked of a platform."""
        return [request.path for request in self.servers[name].requests]


@contextmanager
def served(folder: Path) -> Iterator[Platforms]:
    """Start all servers; files of credentials and states go into `folder`."""
    with ExitStack() as stack:
        found = Platforms(folder)

        def start(name: str, server: AbstractContextManager[Any], **variables: str) -> None:
            found.servers[name] = running = stack.enter_context(server)
            found.variables[name] = {
                key: value.replace("{url}", running.url) for key, value in variables.items()
            }

        start(
            "hetzner",
            RestServer(hetzner_acme.project().answer),
            HCLOUD_TOKEN=hetzner_acme.TOKEN,
            HCLOUD_ENDPOINT="{url}/v1",
            HETZNER_ENDPOINT="{url}/v1",
        )
        start(
            "digitalocean",
            RestServer(digitalocean_acme.team().answer),
            DIGITALOCEAN_ACCESS_TOKEN=digitalocean_acme.TOKEN,
            DIGITALOCEAN_API_URL="{url}",
        )
        start(
            "github",
            github.server(github.Estate(github_acme.whole(), token=github_acme.TOKEN)),
            GITHUB_TOKEN=github_acme.TOKEN,
            GITHUB_API_URL="{url}",
        )
        start(
            "cloudflare",
            cloudflare.serving(cloudflare_acme.estate()),
            CLOUDFLARE_API_TOKEN=cloudflare.TOKEN,
            CLOUDFLARE_BASE_URL="{url}" + cloudflare.BASE,
        )
        # A socket's path must be short, wherever the tests' folder is.
        short = stack.enter_context(tempfile.TemporaryDirectory(prefix="infrascan"))
        socket = Path(short) / "docker.sock"
        start(
            "docker",
            RestServer(docker_acme.engine().answer, socket=socket),
            DOCKER_HOST="{url}",
        )
        azure = stack.enter_context(AzureServer(azure_acme.estate()))
        found.servers["azure"] = azure.rest
        found.variables["azure"] = azure.environment()
        found.gcp = stack.enter_context(GcpServer(gcp_acme.estate()))
        found.servers["gcp"] = found.gcp.rest
        found.variables["gcp"] = found.gcp.environment(folder / "gcp")
        start("terraform", RestServer(lambda _: json_answer(terraform_acme.shop())))
        terraform_acme.put(found.state, terraform_acme.network())
        yield found


def secrets(environment: Mapping[str, str]) -> list[str]:
    """The secret values in an environment, and those in the files that it names."""
    found = [environment[name] for name in SECRET if environment.get(name)]
    if key := environment.get("GOOGLE_APPLICATION_CREDENTIALS"):
        held = json.loads(Path(key).read_text())
        found.append(held["private_key"].splitlines()[1])
    return found
