"""Helm. Charts are named by a repository the operator has added, never by a path or an address."""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, destroy, read, refuse, write

REDIRECTS = "it sends the request, or the credentials, somewhere else"
OTHER = "it uses another identity than the operator's"
FILES = "it reads or writes files of this machine"
REFUSED = {
    "kubeconfig": REDIRECTS,
    "kube-*": REDIRECTS,
    "post-renderer*": "it runs a program",
    "plugin*": "it runs a program",
    "repo": REDIRECTS,
    "registry-config": FILES,
    "repository-config": FILES,
    "repository-cache": FILES,
    "content-cache": FILES,
    "username": OTHER,
    "password": OTHER,
    "ca-file": FILES,
    "cert-file": FILES,
    "key-file": FILES,
    "keyring": FILES,
    "pass-credentials": REDIRECTS,
    "insecure-skip-tls-verify": REDIRECTS,
    "plain-http": REDIRECTS,
    "output-dir": FILES,
    "set-file": FILES,
    "debug": "what it logs holds credentials",
    "template": "what a release holds is read as it is",
    "show-secret": "it prints secrets",
}
VERSION = "version= devel "
SET = "set= set-string= set-json= set-literal= "
VALUES = "values/f= "
CHANGE = (
    "dry-run timeout= wait wait-for-jobs atomic no-hooks description= output/o= skip-crds labels/l="
    " create-namespace cleanup-on-fail dependency-update render-subchart-notes hide-notes"
    " disable-openapi-validation skip-schema-validation enable-dns hide-secret take-ownership "
)
LIST = (
    "all-namespaces/A all/a filter/f= date/d reverse/r deployed failed pending superseded"
    " uninstalled uninstalling max/m= offset= output/o= short/q selector/l= time-format= no-headers"
)
STATUS = "output/o= revision= show-resources show-desc"
TEMPLATE = (
    SET + VERSION + "include-crds no-hooks show-only/s= kube-version= api-versions/a= skip-tests"
    " is-upgrade skip-crds validate"
)


def each(verb: str, *names: str) -> tuple[str, ...]:
    """A verb and its aliases."""
    return (verb, *names)


VERBS = (
    *(read(name, LIST) for name in each("list", "ls")),
    read("status", STATUS),
    read("get all", "revision="),
    read("get hooks", "revision="),
    read("get manifest", "revision="),
    read("get metadata", "revision= output/o="),
    read("get notes", "revision="),
    read("get values", "all/a revision= output/o="),
    *(read(name, "max= output/o=") for name in each("history", "hist")),
    *(
        read(f"{show} {part}", VERSION)
        for show in each("show", "inspect")
        for part in ("all", "chart", "crds", "readme", "values")
    ),
    read("template", TEMPLATE),
    read("version", "short"),
    read("search repo", "versions/l regexp/r version= output/o= devel fail-on-no-result"),
    read("repo list", "output/o="),
    write("install", SET + VALUES + VERSION + CHANGE + "generate-name/g name-template= replace"),
    write(
        "upgrade",
        SET + VALUES + VERSION + CHANGE + "install/i reuse-values reset-values force history-max="
        " reset-then-reuse-values",
    ),
    *(
        destroy(name, "dry-run keep-history no-hooks timeout= wait description= cascade= ignore-not-found")
        for name in each("uninstall", "un", "del", "delete")
    ),
    destroy(
        "rollback",
        "dry-run force wait wait-for-jobs timeout= no-hooks cleanup-on-fail recreate-pods history-max=",
    ),
    write("test", "timeout= filter= logs"),
    write("repo update", "fail-on-repo-update-fail"),
    refuse("repo add", REDIRECTS),
    refuse("repo index", FILES),
    refuse("repo remove", "it changes the operator's repositories"),
    refuse("search hub", REDIRECTS),
    refuse("plugin", "it runs programs of this machine"),
    refuse("registry", OTHER),
    refuse("push", FILES),
    refuse("pull", FILES),
    refuse("fetch", FILES),
    refuse("package", FILES),
    refuse("create", FILES),
    refuse("lint", FILES),
    refuse("verify", FILES),
    refuse("dependency", FILES),
    refuse("dep", FILES),
    refuse("env", "it prints where the operator's files are"),
    refuse("completion", "it is for shells"),
)  # fmt: skip
SAME = {
    "un": "uninstall",
    "del": "uninstall",
    "delete": "uninstall",
    "ls": "list",
    "hist": "history",
}

CHART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]*/[A-Za-z0-9][A-Za-z0-9._\-]*")
RELEASE = re.compile(r"[a-z0-9]([a-z0-9.\-]{0,51}[a-z0-9])?")
FORMATS = frozenset({"table", "json", "yaml"})


def review(parsed: Parsed) -> Parsed:
    verb = SAME.get(parsed.verb, parsed.verb)
    why = parsed.refused or formats(parsed) or charts(parsed, verb)
    target = dict(parsed.target)
    if "all-namespaces" in parsed.flags and parsed.flag("all-namespaces") != "false":
        target["namespace"] = "*"
    effect = Effect.DESTRUCTIVE if verb == "upgrade" and "force" in parsed.flags else parsed.effect
    files = parsed.files if verb in {"install", "upgrade"} else ()
    return replace(parsed, verb=verb, refused=why, target=target, effect=effect, files=files)


def formats(parsed: Parsed) -> str:
    for value in parsed.flags.get("output", ()):
        if value not in FORMATS:
            return f"-o {value[:40]} is refused: table, json and yaml are accepted"
    if parsed.verb == "template" and "validate" in parsed.flags:
        return "--validate is refused: it asks the cluster with what the chart says"
    return ""


def charts(parsed: Parsed, verb: str) -> str:
    """Refuse charts that are not of a repository of the operator's, and odd names of releases."""
    operands = list(parsed.operands)
    shows = verb.startswith(("show ", "inspect "))
    named = verb in {"install", "upgrade", "template"}
    generated = {"generate-name", "name-template"} & set(parsed.flags)
    chart = operands[-1:] if shows or named else []
    releases = [] if shows or verb in {"list", "search repo", "repo update"} else operands
    if named:
        releases = operands[:-1]
        if not operands or (len(operands) > 2) or (len(operands) == 2 and generated):
            return f"helm {verb} takes a release and a chart"
    for one in chart:
        if not CHART.fullmatch(one):
            return f"{one[:60]!r} is not a chart of a repository: say repository/chart"
    for one in releases:
        if not RELEASE.fullmatch(one):
            return f"{one[:60]!r} is not the name of a release"
    return ""


TOOL = Tool(
    name="helm",
    provider="k8s",
    common="namespace/n= kube-context=",
    pinning=("kube-context",),
    target={"kube-context": "context", "namespace": "namespace"},
    refused=REFUSED,
    verbs=VERBS,
    files=("values",),
    review=review,
)
