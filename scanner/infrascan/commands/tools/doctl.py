"""doctl, DigitalOcean's CLI."""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, Verb, destroy, read, refuse, write

FILES = "it reads or writes files of this machine"
PRINTS = "it prints or stores credentials"
STAYS = "it opens a way in, and needs somebody at the keyboard"
REFUSED = {
    "access-token": "it uses another identity than the operator's",
    "t": "it uses another identity than the operator's",
    "api-url": "it sends the request, or the credentials, somewhere else",
    "u": "it sends the request, or the credentials, somewhere else",
    "config": FILES,
    "c": FILES,
    "trace": "what it logs holds credentials",
    "verbose": "what it logs holds credentials",
    "v": "what it logs holds credentials",
    "interactive": STAYS,
    "follow": "it never ends",
    "f": "it never ends",
    "user-data-file": FILES,
    "spec": FILES,
    "format-template": FILES,
    "certificate-path": FILES,
    "private-key-path": FILES,
    "public-key-file": FILES,
    "leaf-certificate-path": FILES,
}
SHOWN = "format= no-header region= tag-name= page= per-page="
GROUPS = [
    "compute droplet",
    "compute volume",
    "compute snapshot",
    "compute image",
    "compute load-balancer",
    "compute firewall",
    "compute domain",
    "compute reserved-ip",
    "compute floating-ip",
    "compute certificate",
    "compute cdn",
    "compute size",
    "compute region",
    "compute tag",
    "compute ssh-key",
    "compute action",
    "compute plugin",
    "kubernetes cluster",
    "kubernetes cluster node-pool",
    "kubernetes options",
    "databases",
    "databases db",
    "databases pool",
    "databases replica",
    "databases firewalls",
    "databases maintenance-window",
    "databases backups",
    "databases events",
    "apps",
    "vpcs",
    "projects",
    "registry",
    "registry repository",
    "monitoring alert",
    "invoice",
    "billing-history",
    "balance",
    "account",
    "spaces",
    "uptime check",
    "uptime alert",
    "functions",
    "serverless",
    "projects resources",
    "1-click",
    "vpcs peerings",
    "compute domain records",
]
READS = ("list", "get", "list-by-droplet", "actions", "kernels", "neighbors", "snapshots", "backups",
         "list-tags", "list-manifests", "list-v2", "summary", "ratelimit", "list-records", "get-upgrades",
         "list-associated-resources", "list-deployments", "get-deployment", "list-regions", "logs", "list-alerts")  # fmt: skip
DESTROYS = ("delete", "remove", "destroy", "delete-selective", "remove-droplets", "reboot", "power-cycle",
            "power-off", "shutdown", "rebuild", "restore", "resize", "detach", "unassign", "delete-node",
            "replace-node", "recycle", "password-reset", "flush", "delete-tag", "delete-manifest", "revoke",
            "remove-rules", "undeploy", "promote")  # fmt: skip
NAMES = {"k8s": "kubernetes", "database": "databases", "db": "databases", "droplets": "droplet"}


def every() -> list[Verb]:
    return [
        *(
            read(f"{group} {verb}", SHOWN + LOGS * (verb == "logs"))
            for group in GROUPS
            for verb in READS
        ),
        *(destroy(f"{group} {verb}", "force") for group in GROUPS for verb in DESTROYS),
    ]


LOGS = " type= deployment= tail= no-prefix"
VERBS = (
    *every(),
    *(destroy(f"compute droplet-action {verb}", "wait image= size= resize-disk") for verb in DESTROYS),
    *(write(f"compute droplet-action {verb}", "wait snapshot-name=") for verb in ("power-on", "snapshot", "enable-backups", "rename")),
    read("version"),
    *(refuse(words, PRINTS) for words in ("auth", "kubernetes cluster kubeconfig", "kubernetes cluster get-kubeconfig",
      "kubernetes cluster registry", "databases connection", "databases user", "databases get-ca", "databases get",
      "databases list", "databases create", "databases pool get", "databases replica connection", "registry login",
      "registry logout", "registry docker-config", "registry kubernetes-manifest", "spaces keys", "serverless connect",
      "compute droplet-action password-reset", "databases replica get", "databases pool list", "databases replica list")),
    *(refuse(words, STAYS) for words in ("compute ssh", "apps console", "sandbox", "compute droplet console")),
    *(refuse(words, FILES) for words in ("apps create", "apps update", "apps dev", "apps spec", "serverless deploy",
      "serverless init", "invoice pdf", "invoice csv", "compute ssh-key import", "completion")),
)  # fmt: skip
RANKED = {verb.words: verb for verb in VERBS}  # a refusal comes later, and stays
CREATES = re.compile(
    r"(?:create|add|update|run|enable|assign|attach|upgrade|rename|set|power-on|tag|untag).*"
)


def review(parsed: Parsed) -> Parsed:
    why, effect = parsed.refused, parsed.effect
    lead = parsed.operands[:4]
    if effect is Effect.WRITE and any(word in DESTROYS for word in lead[1:]):
        effect = Effect.DESTRUCTIVE
    if effect is not Effect.READ and set(lead) & {
        "kubeconfig",
        "connection",
        "console",
        "ssh",
        "keys",
        "token",
    }:
        why = why or f"doctl {' '.join(lead)[:80]} is refused: {PRINTS}"
    if any(value in {"json", "text"} for value in parsed.flags.get("output", ())):
        return replace(parsed, effect=effect, refused=why)
    if "output" in parsed.flags:
        why = why or "--output is json or text"
    return replace(parsed, effect=effect, refused=why)


TOOL = Tool(
    name="doctl",
    provider="digitalocean",
    common="context= output/o=",
    target={"context": "context"},
    refused=REFUSED,
    open=True,
    verbs=tuple(RANKED.values()),
    review=review,
)
