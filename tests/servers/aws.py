"""A moto server process on a free loopback port, and the environment that points boto3 at it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "secret"}


@dataclass(eq=False)
class MotoServer:
    """moto in a process of its own.

    with MotoServer() as server:
        server.client("s3").create_bucket(Bucket="b")
    """

    url: str = ""
    process: subprocess.Popen[str] | None = None
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.aws_moto"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("MOTO_VERBOSE") else subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"},
        )
        assert self.process.stdout is not None
        port = self.process.stdout.readline().strip()
        assert port, "moto did not start"
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *exc: object) -> None:
        for client in self.clients.values():
            client.close()
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def client(self, service: str, region: str = "eu-west-1") -> Any:
        """A plain boto3 client, to make state with."""
        import boto3

        key = (service, region)
        if key not in self.clients:
            self.clients[key] = boto3.client(
                service, region_name=region, endpoint_url=self.url, **KEYS
            )
            if service == "s3control":  # it puts the account in front of the host
                self.clients[key].meta.events.register("before-send.s3-control", plain_host)
        return self.clients[key]

    def reset(self) -> None:
        """Forget all state."""
        import urllib.request

        request = urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=10).close()


def plain_host(request: Any, **_: Any) -> None:
    request.url = request.url.replace("//123456789012.", "//")


def environment(folder: Path, url: str, **profiles: str) -> dict[str, str]:
    """The variables that point the SDK at `url`, with profiles in files under `folder`.

    `profiles` maps a profile to its region; without any there is one, "default".
    """
    sections = profiles or {"default": "eu-west-1"}
    config = folder / "config"
    credentials = folder / "credentials"
    config.write_text(
        "".join(
            f"[{'' if name == 'default' else 'profile '}{name}]\nregion = {region}\n"
            for name, region in sections.items()
        )
    )
    credentials.write_text(
        "".join(
            f"[{name}]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
            for name in sections
        )
    )
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
