"""The Azure CLI. Groups and verbs that are listed here are reads; whatever is not is a write."""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, read, refuse

FILES = "it reads or writes files of this machine"
PRINTS = "it prints or stores credentials"
STAYS = "it opens a way in, and needs somebody at the keyboard"
REFUSED = {
    "debug": "what it logs holds credentials",
    "verbose": "what it logs holds credentials",
    "file": FILES,
    "template-file": FILES,
    "template-uri": "it fetches and runs what an address says",
    "parameters": FILES,
    "custom-data": FILES,
    "user-data": FILES,
    "ssh-key-values": FILES,
    "generate-ssh-keys": FILES,
    "output-folder": FILES,
    "destination": FILES,
    "password": PRINTS,
    "admin-password": PRINTS,
    "client-secret": PRINTS,
    "account-key": PRINTS,
    "sas-token": PRINTS,
    "connection-string": PRINTS,
}
COMMON = (
    "subscription= resource-group/g= name/n= output/o= query= only-show-errors location/l= yes/y"
    " no-wait ids="
)
GROUPS = """
vm: get-instance-view list-ip-addresses list-sizes list-skus list-usage
vmss: list-instances get-instance-view
disk
snapshot
image
group: exists
aks: get-upgrades get-versions
aks nodepool
acr
acr repository: show-tags show-manifests
network vnet
network vnet subnet
network nsg
network nsg rule
network nic: show-effective-route-table list-effective-nsg
network public-ip
network lb
network application-gateway: show-backend-health
network route-table
network private-endpoint
network dns zone
network dns record-set
network vpn-gateway
network watcher
network traffic-manager profile
network front-door
network firewall
network bastion
storage account: show-usage check-name
storage container-rm
sql server
sql db: list-usages
sql mi
sql elastic-pool
postgres server
postgres flexible-server
mysql server
mysql flexible-server
cosmosdb
cosmosdb sql database
redis
keyvault
keyvault secret
keyvault key
keyvault certificate
webapp
functionapp
appservice plan
containerapp
containerapp env
container: logs
monitor metrics: list-definitions
monitor activity-log
monitor alert
monitor metrics alert
monitor action-group
monitor log-analytics workspace
monitor diagnostic-settings
role assignment
role definition
ad user
ad group
ad group member
ad sp
ad app
identity
policy assignment
policy definition
policy state: summarize
resource
resource link
lock
tag
provider
account: list-locations
advisor recommendation
consumption usage
consumption budget
costmanagement query
backup vault
backup item
servicebus namespace
servicebus queue
eventhubs namespace
eventhubs eventhub
logic workflow
apim
batch account
cdn profile
cdn endpoint
security assessment
security alert
security secure-scores
deployment group
deployment sub
deployment operation group
feature
quota
"""


def pairs() -> list[str]:
    found = []
    for line in GROUPS.strip().splitlines():
        group, _, more = line.partition(":")
        found += [f"{group} {verb}" for verb in ("list", "show", *more.split())]
    return found


# `show` of these gives the secret itself.
WHOLE = frozenset({"keyvault secret show", "redis list-keys", "webapp config appsettings list"})
EXTRA = """
    vault-name= server= account-name= vnet-name= nsg-name= registry= repository= zone-name=
    cluster-name= top= filter= all/a assignee= scope= include-inherited start-time=
    end-time= start-date= end-date= metric= metrics= interval= aggregation= offset=
    max-events= resource-type= namespace= orderby= show-details/d tag= detail=
    workspace-name= container-name=
"""
# Beside resource-group, `--resource` may be short for it; only these have one of that name.
VERBS = (
    *(read(words, EXTRA) for words in pairs() if words not in WHOLE),
    *(read(words, EXTRA + " resource=") for words in ("monitor metrics list", "monitor metrics list-definitions", "monitor diagnostic-settings list")),
    read("version"),
    read("graph query", "graph-query/q= first= skip= management-groups="),
    *(refuse(words, PRINTS) for words in ("login", "logout", "account get-access-token", "account set", "account clear",
      "aks get-credentials", "keyvault secret show", "keyvault secret download", "keyvault secret set", "keyvault key download",
      "keyvault certificate download", "keyvault secret backup", "keyvault key decrypt", "storage account keys",
      "storage account show-connection-string", "storage account generate-sas", "storage blob generate-sas",
      "storage container generate-sas", "acr credential", "acr login", "acr token", "cosmosdb keys", "cosmosdb list-keys",
      "cosmosdb list-connection-strings", "redis list-keys", "redis regenerate-keys", "servicebus namespace authorization-rule keys",
      "eventhubs namespace authorization-rule keys", "webapp deployment list-publishing-credentials",
      "webapp deployment list-publishing-profiles", "webapp config appsettings list", "webapp config connection-string list",
      "functionapp keys", "functionapp function keys", "functionapp config appsettings list", "ad sp create-for-rbac",
      "ad sp credential", "ad app credential", "batch account keys", "iot hub connection-string", "cognitiveservices account keys",
      "search admin-key", "search query-key", "signalr key", "maps account keys", "appconfig credential", "sql db show-connection-string",
      "vm user", "sshkey", "functionapp deployment list-publishing-credentials", "functionapp deployment list-publishing-profiles",
      "containerapp secret", "containerapp registry", "relay hyco authorization-rule keys", "monitor log-analytics workspace get-shared-keys")),
    *(refuse(words, STAYS) for words in ("ssh", "vm run-command", "aks command", "vmss run-command", "serial-console",
      "container exec", "container attach", "containerapp exec", "webapp ssh", "webapp create-remote-connection", "interactive",
      "network bastion ssh", "network bastion rdp", "network bastion tunnel", "webapp log tail", "feedback", "survey", "find", "next")),
    *(refuse(words, FILES) for words in ("rest", "extension", "config", "configure", "cloud", "alias", "upgrade",
      "storage blob upload", "storage blob download", "storage copy", "storage file", "storage fs", "webapp up", "webapp deploy",
      "webapp deployment source", "functionapp deployment source", "acr build", "acr run", "aks install-cli", "bicep",
      "deployment group create", "deployment sub create", "ml", "devops", "pipelines", "repos", "init", "demo", "self-test", "cache",
      "storage blob upload-batch", "storage blob download-batch", "containerapp up", "export", "group export", "term", "version-check")),
)  # fmt: skip
FORMATS = frozenset({"json", "jsonc", "table", "tsv", "yaml", "yamlc", "none"})
KEYS = re.compile(
    r".*(?:-keys?|credentials?|connection-strings?|-sas|access-token|publishing-profiles|password|appsettings)"
    r"|keys|secrets?"
)
DESTROYS = re.compile(
    r"(?:delete|remove|purge|stop|deallocate|restart|redeploy|reimage|reset|regenerate|revoke|failover|disable"
    r"|detach|cancel|restore|rotate|clear|drain|scale|resize|simulate)(?:-.*)?"
)
NAME = re.compile(r"[a-z][a-z0-9\-]*")


def review(parsed: Parsed) -> Parsed:
    why, effect, verb = parsed.refused, parsed.effect, parsed.verb
    if effect is not Effect.READ and parsed.operands and verb.startswith(parsed.operands[0]):
        lead = [word for word in parsed.operands[:5] if NAME.fullmatch(word)]
        verb = " ".join(lead)
        secrets = [word for word in lead if KEYS.fullmatch(word)]
        if secrets and why == "":
            why = f"az {' '.join(lead)[:80]} is refused: {PRINTS}"
        if any(DESTROYS.fullmatch(word) for word in lead[1:]):
            effect = Effect.DESTRUCTIVE
    for value in parsed.flags.get("output", ()):
        if value not in FORMATS:
            why = why or f"--output {value[:40]} is refused"
    joined = [value for values in parsed.flags.values() for value in values]
    for word in (*parsed.vector[1:], *joined):
        # The CLI puts the content of a file wherever an argument begins with @.
        value = word.partition("=")[2] if "=" in word else word
        if word.startswith("@") or value.startswith("@") or re.match(r"(?i)file:", value):
            why = why or f"{word[:60]!r} is refused: {FILES}"
    return replace(parsed, verb=verb, effect=effect, refused=why)


TOOL = Tool(
    name="az",
    provider="azure",
    style="argparse",
    common=COMMON,
    target={"subscription": "subscription", "resource-group": "resource_group"},
    refused=REFUSED,
    open=True,
    verbs=VERBS,
    review=review,
)
