"""Terraform, whose flags may have one dash or two, and come ahead of what they apply to."""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, destroy, read, refuse, write

FILES = "it reads or writes files of this machine"
STATE = "it reads or writes another state than the folder's"
PRINTS = "it prints sensitive values"
REFUSED = {
    "chdir": "the folder is where the server was started",
    "var-file": FILES,
    "state": STATE,
    "state-out": STATE,
    "backup": STATE,
    "backup-out": STATE,
    "config": FILES,
    "plugin-dir": "it runs programs of that folder",
    "backend-config": STATE,
    "from-module": "it fetches and runs other configurations",
    "generate-config-out": FILES,
    "lock": "two at once would spoil the state",
    "raw": PRINTS,
    "get-plugins": "it runs programs",
    "verify-plugins": "it runs programs",
    "test-directory": FILES,
    "cloud-run": "it runs elsewhere",
    "generate-config": FILES,
}
COMMON = "no-color"
PLAN = (
    "destroy refresh-only refresh target= replace= var= input lock-timeout= compact-warnings"
    " detailed-exitcode parallelism= json "
)

VERBS = (
    read("plan", PLAN + "out= lock"),  # a plan without the lock keeps nobody from applying
    read("validate", "json no-tests", operands=0),
    read("show", "", operands=0),
    read("output", "", operands=0),
    read("state list", "id="),
    read("state show", ""),
    read("providers", "", operands=0),
    refuse("providers lock", FILES),
    refuse("providers mirror", FILES),
    read("providers schema", "json", operands=0),
    read("version", "json"),
    read("workspace list"),
    read("workspace show"),
    read("graph", "type= draw-cycles plan="),
    read("fmt", "check diff recursive write list"),
    read("modules", "json"),
    write("init", "upgrade input reconfigure backend get lockfile= lock-timeout= json"),
    write("get", "update"),
    write("refresh", "target= var= input lock-timeout= compact-warnings parallelism= json"),
    write("apply", PLAN + "auto-approve"),
    destroy("destroy", PLAN + "auto-approve"),
    write("import", "var= input lock-timeout= parallelism="),
    write("taint", "allow-missing lock-timeout="),
    write("untaint", "allow-missing lock-timeout="),
    write("test", "filter= json var= verbose"),
    write("workspace new", "lock-timeout="),
    write("workspace select", "or-create"),
    destroy("workspace delete", "force lock-timeout="),
    destroy("state mv", "dry-run lock-timeout="),
    destroy("state rm", "dry-run lock-timeout="),
    destroy("state replace-provider", "auto-approve lock-timeout="),
    destroy("force-unlock", "force"),
    refuse("state pull", PRINTS),
    refuse("state push", STATE),
    refuse("console", "it needs somebody at the keyboard"),
    refuse("login", "it stores credentials"),
    refuse("logout", "it removes credentials"),
    refuse("env", "say workspace"),
    refuse("stacks", "it runs elsewhere"),
    refuse("query", "it runs the providers' own queries"),
    refuse("rpcapi", "it is for programs"),
)  # fmt: skip
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*\.tfplan")


def review(parsed: Parsed) -> Parsed:
    why, effect, files, notes = parsed.refused, parsed.effect, parsed.files, list(parsed.notes)
    if parsed.verb == "plan":
        notes.append("a plan runs the configuration's providers and its external data sources")
        if parsed.operands:
            why = why or "plan has no operands: the folder is where the server was started"
    if out := parsed.flag("out"):
        effect = Effect.WRITE
        if not PLAIN.fullmatch(out):
            why = why or "-out is a name of the working folder that ends in .tfplan"
    if parsed.verb == "apply":
        files = parsed.operands
        if len(files) > 1:
            why = why or "apply takes one plan file"
        if not files and parsed.flag("auto-approve") not in {"true", "1", "t", "T", "TRUE", "True"}:
            why = why or "apply takes a plan file, or -auto-approve: nobody can answer its question"
        if parsed.flag("destroy") not in {"", "false"} or "replace" in parsed.flags:
            effect = Effect.DESTRUCTIVE
        notes.append("applying may replace resources: look at the plan for what is destroyed")
    if parsed.verb == "fmt" and not (
        parsed.flag("check") == "true" or parsed.flag("write") == "false"
    ):
        effect = Effect.WRITE
    if parsed.verb in {"fmt", "graph"} and (parsed.operands or "plan" in parsed.flags):
        why = why or "name no file"
    if any("://" in word or "::" in word for word in parsed.operands):
        why = why or "an address is refused"
    return replace(parsed, refused=why, effect=effect, files=files, notes=tuple(notes))


TOOL = Tool(
    name="terraform",
    provider="terraform",
    style="go",
    common=COMMON,
    refused=REFUSED,
    verbs=VERBS,
    review=review,
)
