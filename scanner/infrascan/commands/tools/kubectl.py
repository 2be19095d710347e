"""kubectl. What a verb may read is listed flag by flag; so is what it may change."""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, destroy, read, refuse, write

REDIRECTS = "it sends the request, or the credentials, somewhere else"
OTHER = "it uses another identity than the operator's"
FILES = "it reads or writes files of this machine"
PRINTS = "it prints credentials"
STAYS = "it keeps a connection open, and needs somebody at the keyboard"
REFUSED = {
    "server": REDIRECTS,
    "s": REDIRECTS,
    "kubeconfig": REDIRECTS,
    "token": OTHER,
    "username": OTHER,
    "password": OTHER,
    "certificate-authority": REDIRECTS,
    "client-*": OTHER,
    "exec-*": "it runs a program",
    "as": OTHER,
    "as-*": OTHER,
    "cluster": REDIRECTS,
    "user": OTHER,
    "insecure-skip-tls-verify*": REDIRECTS,
    "tls-server-name": REDIRECTS,
    "proxy-url": REDIRECTS,
    "raw": "it asks the API server for any path",
    "profile": FILES,
    "profile-output": FILES,
    "cache-dir": FILES,
    "output-directory": FILES,
    "log-*": FILES,
    "template": "say -o json, and choose from the answer",
    "kustomize": FILES,
    "k": FILES,
    "recursive": FILES,
    "R": FILES,
    "v": "what it logs holds credentials",
    "vmodule": "what it logs holds credentials",
    "stdin": STAYS,
    "i": STAYS,
    "tty": STAYS,
    "t": STAYS,
    "interactive": STAYS,
    "watch": "it never ends",
    "w": "it never ends",
    "watch-only": "it never ends",
    "follow": "it never ends",
    "from-file": FILES,
    "from-env-file": FILES,
    "patch-file": FILES,
    "resolve": PRINTS,
}
COMMON = "namespace/n= context= request-timeout="
PICK = "selector/l= field-selector= all-namespaces/A "
SHOWN = "output/o= no-headers show-labels label-columns/L= sort-by= "
CHANGE = "dry-run field-manager= output/o= "
FILE = "filename/f= "

VERBS = (
    read("get", PICK + SHOWN + "ignore-not-found chunk-size= show-kind show-managed-fields"),
    read("describe", "selector/l= all-namespaces/A show-events chunk-size="),
    read(
        "logs",
        "container/c= previous/p since= since-time= tail= timestamps selector/l= all-containers"
        " all-pods prefix limit-bytes= max-log-requests= ignore-errors pod-running-timeout=",
    ),
    *(read(f"top {pods}", PICK + "no-headers sort-by= containers sum") for pods in ("pod", "pods")),
    *(read(f"top {nodes}", "selector/l= no-headers sort-by= show-capacity") for nodes in ("node", "nodes")),
    read("events", "all-namespaces/A for= types= output/o= no-headers"),
    read("explain", "api-version= output/o="),
    read("api-resources", "namespaced verbs= api-group= output/o= sort-by= no-headers categories="),
    read("api-versions"),
    read("version", "output/o= client"),
    read("cluster-info", operands=0),
    refuse("cluster-info dump", "it prints whole manifests, secrets' users among them"),
    read("rollout status", "selector/l= revision= timeout="),
    read("rollout history", "selector/l= revision= output/o="),
    read("auth can-i", "all-namespaces/A list quiet/q no-headers subresource="),
    read("auth whoami", "output/o="),
    read("config get-contexts", "output/o= no-headers"),
    read("config current-context"),
    read("wait", PICK + "for= timeout= all"),
    read("diff", FILE + "selector/l= server-side force-conflicts field-manager= prune"),
    refuse("config view", PRINTS),
    write("apply", FILE + CHANGE + "selector/l= server-side force-conflicts validate= overwrite wait timeout="),
    refuse("apply edit-last-applied", STAYS),
    write("apply set-last-applied", FILE + "dry-run output/o= create-annotation"),
    read("apply view-last-applied", FILE + "selector/l= all output/o="),
    write("create", FILE + CHANGE + "validate= save-config"),
    write("create namespace", CHANGE),
    write("create deployment", CHANGE + "image= replicas= port= replicas/r=", rest=True),
    write("create service"),
    write("create service clusterip", CHANGE + "tcp= clusterip="),
    write("create service nodeport", CHANGE + "tcp= node-port="),
    write("create service loadbalancer", CHANGE + "tcp="),
    write("create service externalname", CHANGE + "external-name= tcp="),
    write("create job", CHANGE + "image= from=", rest=True),
    write("create cronjob", CHANGE + "image= schedule= restart=", rest=True),
    write("create configmap", CHANGE + "from-literal= append-hash"),
    write("create serviceaccount", CHANGE),
    write("create role", CHANGE + "verb= resource= resource-name="),
    write("create clusterrole", CHANGE + "verb= resource= resource-name= non-resource-url="),
    write("create rolebinding", CHANGE + "role= clusterrole= user= group= serviceaccount="),
    write("create clusterrolebinding", CHANGE + "clusterrole= user= group= serviceaccount="),
    write("create ingress", CHANGE + "rule= class= annotation= default-backend="),
    write("create quota", CHANGE + "hard= scopes="),
    write("create poddisruptionbudget", CHANGE + "selector= min-available= max-unavailable="),
    write("create priorityclass", CHANGE + "value= description= global-default preemption-policy="),
    refuse("create secret", "a secret's value would stand in the command"),
    refuse("create token", PRINTS),
    destroy("replace", FILE + CHANGE + "force cascade grace-period= timeout= wait validate="),
    write("patch", CHANGE + "type= patch/p= subresource="),
    write("scale", "dry-run output/o= replicas= current-replicas= resource-version= timeout= selector/l= all"),
    write("autoscale", CHANGE + "min= max= cpu-percent= name="),
    write("set image", CHANGE + "selector/l= all"),
    write("set env", CHANGE + "selector/l= all env/e= from= keys= prefix= containers/c= overwrite"),
    write("set resources", CHANGE + "selector/l= all limits= requests= containers/c="),
    write("set selector", CHANGE + "all resource-version="),
    write("set serviceaccount", CHANGE + "all"),
    write("set subject", CHANGE + "selector/l= all user= group= serviceaccount="),
    write("label", CHANGE + PICK + "overwrite all list resource-version="),
    write("annotate", CHANGE + PICK + "overwrite all list resource-version="),
    write("taint", CHANGE + "selector/l= overwrite all"),
    write("expose", CHANGE + "port= target-port= type= name= protocol= selector/l= session-affinity="),
    write("run", CHANGE + "image= port= labels/l= restart= env= command image-pull-policy=", rest=True),
    write("rollout restart", "field-manager= output/o= " + "selector/l="),
    write("rollout undo", "dry-run output/o= " + "selector/l= to-revision="),
    write("rollout pause", "field-manager= output/o= " + "selector/l="),
    write("rollout resume", "field-manager= output/o= " + "selector/l="),
    write("cordon", "dry-run selector/l="),
    write("uncordon", "dry-run selector/l="),
    destroy(
        "drain",
        "dry-run selector/l= ignore-daemonsets delete-emptydir-data force grace-period= timeout="
        " disable-eviction pod-selector= chunk-size= skip-wait-for-delete-timeout=",
    ),
    destroy(
        "delete",
        PICK + FILE + "dry-run output/o= all grace-period= now force wait timeout= cascade"
        " ignore-not-found",
    ),
    destroy("exec", "container/c=", rest=True),
    write("certificate approve", "force output/o="),
    write("certificate deny", "force output/o="),
    write("auth reconcile", FILE + "dry-run output/o= remove-extra-permissions remove-extra-subjects"),
    refuse("config", "it changes the operator's kubeconfig"),
    refuse("edit", STAYS),
    refuse("cp", FILES),
    refuse("attach", STAYS),
    refuse("port-forward", STAYS),
    refuse("proxy", STAYS),
    refuse("debug", STAYS),
    refuse("kustomize", FILES),
    refuse("plugin", "it runs programs of this machine"),
    refuse("completion", "it is for shells"),
    refuse("options", "it is for people"),
    refuse("alpha", "it changes from version to version"),
)  # fmt: skip

FORMATS = frozenset({"wide", "name", "json", "yaml", ""})
TABLES = frozenset({"wide", "name", ""})
SECRETIVE = re.compile("token|credential|oauth|password")  # kinds of other people's making
STEP = re.compile(r"\.?([A-Za-z][A-Za-z0-9_\-]*)(?:\[(?:\*|-?\d+)\])?")
# What would print values of variables, or an object that may hold them.
WHOLE = frozenset(
    [
        "env",
        "envfrom",
        "value",
        "valuefrom",
        "data",
        "stringdata",
        "binarydata",
        "spec",
        "template",
        "containers",
        "initcontainers",
        "ephemeralcontainers",
        "items",
        "jobtemplate",
        "metadata",
        "annotations",
        "args",
        "command",
    ]
)


def review(parsed: Parsed) -> Parsed:
    why = parsed.refused or formats(parsed) or resources(parsed) or local(parsed)
    target = dict(parsed.target)
    if "all-namespaces" in parsed.flags and parsed.flag("all-namespaces") != "false":
        target["namespace"] = "*"
    effect = parsed.effect
    if parsed.verb == "delete" and "dry-run" in parsed.flags:
        effect = Effect.DESTRUCTIVE  # a dry run of a deletion is judged as one
    if parsed.verb == "apply" and "force" in parsed.flags:
        effect = Effect.DESTRUCTIVE
    return replace(parsed, target=target, effect=effect, refused=why)


def formats(parsed: Parsed) -> str:
    for value in parsed.flags.get("output", ()):
        kind, _, expression = value.partition("=")
        if kind in FORMATS and not expression:
            continue
        if kind not in {"jsonpath", "custom-columns"}:
            return f"-o {kind[:40]} is refused: wide, name, json and yaml are accepted"
        if not plain(kind, expression):
            return f"this {kind} may print what is secret; say -o json, and choose from the answer"
    return ""


def plain(kind: str, expression: str) -> bool:
    """True where each path of a template names one field that is no container of others."""
    if kind == "custom-columns":
        paths = [column.partition(":")[2] for column in expression.split(",")]
    else:
        paths = re.findall(r"\{([^{}]*)\}", expression)
        paths = [path for path in paths if not re.fullmatch(r"end|'[^']*'|\"[^\"]*\"", path)]
        paths = [path.removeprefix("range ") + "." * path.startswith("range ") for path in paths]
        if not paths or re.sub(r"\{[^{}]*\}", "", expression).strip("\\nt ,;:/-"):
            return False
    return all(map(field, paths))


def field(path: str) -> bool:
    ranged = path.endswith(".")  # the elements of a range are printed by the paths that follow
    steps = []
    rest = path.removesuffix(".").strip().removeprefix("@")
    while rest:
        match = STEP.match(rest)
        if not match:
            return False
        steps.append(match[1].lower())
        rest = rest[match.end() :]
    if not steps or {"env", "envfrom", "data", "stringdata", "annotations"} & set(steps):
        return False
    return ranged or (len(steps) > 1 and steps[-1] not in WHOLE)


def kinds(parsed: Parsed) -> tuple[str, ...]:
    """The kinds of resources that the operands name: `deploy,svc`, `pod/web`, `deployments.v1.apps`."""
    slashed = [operand for operand in parsed.operands if "/" in operand]
    named = slashed or parsed.operands[:1]
    parts = [part for operand in named for part in operand.split(",")]
    return tuple(part.partition("/")[0].partition(".")[0].lower() for part in parts)


def resources(parsed: Parsed) -> str:
    words = {
        part.partition("/")[0].partition(".")[0].lower()
        for operand in parsed.operands
        for part in operand.split(",")
    }
    if words & {"secret", "secrets"}:
        if parsed.effect is Effect.READ and (
            parsed.verb not in {"get", "auth can-i", "explain"}
            or parsed.flag("output") not in TABLES
            or {"label-columns", "show-managed-fields", "sort-by"} & set(parsed.flags)
        ):
            return "the contents of secrets are never read; `get secrets` alone lists their names"
        if parsed.verb in {"patch", "label", "annotate"}:
            return f"{parsed.verb} answers with the secret, or has its value in the command"
    secretive = any(SECRETIVE.search(kind) for kind in kinds(parsed))
    if secretive and parsed.effect is Effect.READ and parsed.flag("output") not in TABLES:
        return "kinds that hold tokens or credentials are listed by name only"
    if parsed.verb == "logs" and parsed.flag("previous") not in {"", "true", "false"}:
        return "-p has no value"
    return ""


def local(parsed: Parsed) -> str:
    if parsed.verb == "exec" and "--" not in parsed.operands:
        return "put `--` ahead of the program that exec runs"
    if parsed.verb in {"diff", "apply", "create", "replace", "auth reconcile"} and not (
        parsed.files or parsed.operands
    ):
        return f"{parsed.verb} needs a file: -f FILE"
    return ""


TOOL = Tool(
    name="kubectl",
    provider="k8s",
    common=COMMON,
    pinning=("context",),
    target={"context": "context", "namespace": "namespace"},
    refused=REFUSED,
    verbs=VERBS,
    files=("filename",),
    review=review,
)
