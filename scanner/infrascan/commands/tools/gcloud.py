"""gcloud. Groups and verbs that are listed here are reads; whatever is not is a write."""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, Verb, read, refuse

FILES = "it reads or writes files of this machine"
OTHER = "it uses another identity than the operator's"
REDIRECTS = "it sends the request, or the credentials, somewhere else"
PRINTS = "it prints or stores credentials"
STAYS = "it opens a way in, and needs somebody at the keyboard"
REFUSED = {
    "account": OTHER,
    "impersonate-service-account": OTHER,
    "access-token-file": OTHER,
    "configuration": OTHER,
    "flags-file": FILES,
    "log-http": "what it logs holds credentials",
    "verbosity": "what it logs holds credentials",
    "trace-token": REDIRECTS,
    "user-output-enabled": "it hides what happened",
    "api-endpoint-overrides": REDIRECTS,
    "billing-project": OTHER,
    "key-file": FILES,
    "cred-file": FILES,
    "metadata-from-file": FILES,
    "source": FILES,
    "env-vars-file": FILES,
    "file": FILES,
    "out-file": FILES,
    "output-file": FILES,
    "data-file": FILES,
    "policy-from-file": FILES,
    "template-file": FILES,
    "config-file": FILES,
    "inputs-file": FILES,
}
COMMON = "project= format= filter= limit= page-size= sort-by= quiet/q region= zone= uri flatten="
# group -> what is read in it besides list and describe
GROUPS = """
compute instances: get-iam-policy get-serial-port-output get-guest-attributes
compute disks: get-iam-policy
compute images: get-iam-policy describe-from-family
compute snapshots: get-iam-policy
compute instance-groups
compute instance-groups managed: list-instances list-errors
compute instance-templates
compute networks: get-effective-firewalls
compute networks subnets: get-iam-policy list-usable
compute firewall-rules
compute routes
compute routers: get-status get-nat-mapping-info
compute addresses
compute forwarding-rules
compute backend-services: get-health
compute backend-buckets
compute health-checks
compute url-maps
compute target-http-proxies
compute target-https-proxies
compute target-pools: get-health
compute ssl-certificates
compute ssl-policies
compute security-policies
compute vpn-tunnels
compute vpn-gateways
compute interconnects
compute regions
compute zones
compute machine-types
compute project-info
compute operations
compute resource-policies
compute commitments
compute reservations
container clusters
container node-pools
container operations
container images: list-tags
container fleet memberships
sql instances
sql databases
sql backups
sql operations
sql flags
sql tiers
storage buckets: get-iam-policy
storage objects
functions: get-iam-policy
run services: get-iam-policy
run revisions
run jobs: get-iam-policy
run jobs executions
pubsub topics: list-subscriptions get-iam-policy
pubsub subscriptions: get-iam-policy
pubsub snapshots
projects: get-iam-policy get-ancestors
organizations: get-iam-policy
resource-manager folders: get-iam-policy
resource-manager org-policies
iam roles
iam service-accounts: get-iam-policy
iam service-accounts keys
iam workload-identity-pools
dns managed-zones
dns record-sets
dns policies
kms keyrings: get-iam-policy
kms keys: get-iam-policy
kms keys versions
secrets: get-iam-policy
secrets versions
logging sinks
logging logs
logging metrics
logging buckets
monitoring policies
monitoring dashboards
alpha monitoring policies
alpha monitoring channels
beta monitoring channels
billing accounts
billing projects
billing budgets
services
app services
app versions
app instances
artifacts repositories: get-iam-policy
artifacts packages
artifacts versions
artifacts docker images
asset feeds
builds: log
builds triggers
deploy releases
deploy delivery-pipelines
dataflow jobs
dataproc clusters
composer environments
redis instances: get-auth-string
memcache instances
filestore instances
spanner instances
spanner databases
bigtable instances
bigtable clusters
scheduler jobs
tasks queues
workflows
eventarc triggers
certificate-manager certificates
access-context-manager policies
recommender recommendations
recommender insights
config configurations
"""


def reads() -> list[Verb]:
    found = []
    for line in GROUPS.strip().splitlines():
        group, _, more = line.partition(":")
        for verb in ("list", "describe", *more.split()):
            if verb != "get-auth-string":
                found.append(read(f"{group} {verb}", EXTRA.get(f"{group} {verb}", "")))  # noqa: PERF401
    return found


EXTRA = {
    "container images list": "repository=",
    "compute instances get-serial-port-output": "port= start=",
    "sql backups list": "instance= i=",
    "dns record-sets list": "name= type=",
}
VERBS = (
    *reads(),
    read("asset search-all-resources", "scope= query= asset-types= order-by="),
    read("asset search-all-iam-policies", "scope= query="),
    read("logging read", "freshness= order= resource-names="),
    read("config get-value"),
    read("config get"),
    read("version"),
    *(refuse(words, PRINTS) for words in ("auth", "config set", "config unset", "config list", "config config-helper",
      "iam service-accounts keys create", "secrets versions access", "container clusters get-credentials",
      "container fleet memberships get-credentials", "sql generate-login-token", "sql users set-password",
      "redis instances get-auth-string", "iam service-accounts sign-blob", "iam service-accounts sign-jwt",
      "compute reset-windows-password", "kms decrypt", "kms asymmetric-decrypt", "services api-keys",
      "functions call", "storage sign-url", "storage hmac", "config configurations activate",
      "config configurations create", "container hub memberships get-credentials", "alpha auth", "beta auth")),
    *(refuse(words, STAYS) for words in ("compute ssh", "compute start-iap-tunnel", "compute connect-to-serial-port",
      "sql connect", "app instances ssh", "cloud-shell", "alpha cloud-shell", "interactive", "beta interactive",
      "feedback", "survey", "init", "beta compute ssh", "alpha compute ssh", "compute tpus tpu-vm ssh", "workstations ssh")),
    *(refuse(words, FILES) for words in ("compute scp", "compute copy-files", "storage cp", "storage mv", "storage rsync",
      "storage cat", "app deploy", "builds submit", "run deploy", "functions deploy", "components", "meta", "emulators",
      "source", "docker", "topic", "help", "deployment-manager deployments create", "alpha storage", "beta storage",
      "compute config-ssh", "sql export", "sql import", "info", "cheat-sheet")),
)  # fmt: skip
FORMATS = re.compile(
    r"(?:json|yaml|table|value|csv|list|text|flattened|none|default)(?:\(.*\))?", re.DOTALL
)
DESTROYS = re.compile(
    r"(?:delete|remove|destroy|stop|suspend|reset|drain|disable|purge|cancel|abandon|recreate|restore|revoke|undelete|failover|resize|rollback|detach|clear)(?:-.*)?"
)
NAME = re.compile(r"[a-z][a-z0-9\-]*")


def review(parsed: Parsed) -> Parsed:
    why = parsed.refused
    effect = parsed.effect
    verb = parsed.verb
    if effect is not Effect.READ and parsed.operands and verb.startswith(parsed.operands[0]):
        lead = [word for word in parsed.operands[:6] if NAME.fullmatch(word)]
        for size in range(len(lead), 0, -1):
            if DESTROYS.fullmatch(lead[size - 1]) and size > 1:
                effect, verb = Effect.DESTRUCTIVE, " ".join(lead[:size])
                break
        else:
            verb = " ".join(lead[:3]) or verb
    for value in parsed.flags.get("format", ()):
        if not FORMATS.fullmatch(value):
            why = why or f"--format={value[:40]} is refused"
    for word in (*parsed.operands, *(v for values in parsed.flags.values() for v in values)):
        if word.startswith("@") or re.match(r"(?i)file:", word):
            why = why or f"{word[:60]!r} is refused: {FILES}"
    return replace(parsed, verb=verb, effect=effect, refused=why)


TOOL = Tool(
    name="gcloud",
    provider="gcp",
    style="argparse",
    common=COMMON,
    target={"project": "project", "region": "region", "zone": "zone"},
    refused=REFUSED,
    open=True,
    verbs=VERBS,
    review=review,
)
