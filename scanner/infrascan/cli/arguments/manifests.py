"""The arguments of `infrascan manifests`."""

from __future__ import annotations

from infrascan.cli.parser import Commands, command

EPILOG = """\
  infrascan manifests rbac --scope logs | kubectl apply -f -
  infrascan manifests iam --provider aws --format json > policy.json
  infrascan manifests iam --provider gcp > role.yaml    # gcloud iam roles create --file
  infrascan manifests token --provider github           # what to tick when a token is made
"""


def add(commands: Commands) -> None:
    manifests = command(
        commands,
        "manifests",
        "print policies and roles to apply, so that infrascan may read and nothing else",
        "manifests:manifests",
        EPILOG,
    )
    manifests.add_argument(
        "what",
        choices=("iam", "rbac", "token", "pod"),
        help="a cloud's policy or role, a cluster's, what a token needs, or a pod to run in",
    )
    manifests.add_argument(
        "--provider", metavar="NAME", help="of which provider (default: aws, k8s)"
    )
    manifests.add_argument(
        "--scope",
        choices=("all", "scan", "tools", "logs"),
        default="all",
        help="what is to be read: all, a scan, what tools look up, or pods' logs (default: all)",
    )
    manifests.add_argument(
        "--namespace", default="infrascan", metavar="NAME", help="of a cluster (default: infrascan)"
    )
    manifests.add_argument(
        "--image", default="infrascan:latest", metavar="NAME", help="of the pod's container"
    )
    manifests.add_argument("--format", choices=("yaml", "json"), default="yaml")
