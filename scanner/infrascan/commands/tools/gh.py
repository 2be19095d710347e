"""The GitHub CLI. A verb that is not listed may be somebody's extension, which is a program."""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, destroy, read, refuse, write

FILES = "it reads or writes files of this machine"
PRINTS = "it prints or stores credentials"
STAYS = "it needs somebody at the keyboard, or a browser"
PROGRAMS = "it runs programs of this machine"
REFUSED = {
    "hostname": "it sends the request, or the credentials, somewhere else",
    "header": "it sends other credentials",
    "H": "it sends other credentials",
    "include": "it prints headers",
    "i": "it prints headers",
    "verbose": "what it logs holds credentials",
    "input": FILES,
    "body-file": FILES,
    "notes-file": FILES,
    "F": FILES,
    "env-file": FILES,
    "show-token": PRINTS,
    "t": "say --json, and choose from the answer",
    "template": "say --json, and choose from the answer",
    "web": STAYS,
    "w": STAYS,
    "editor": STAYS,
    "e": STAYS,
    "watch": "it never ends",
    "cache": FILES,
    "with-token": PRINTS,
}
LIST = "limit/L= json= jq/q= state/s= label/l= author= assignee/a= search/S= "
VIEW = "json= jq/q= comments/c "
VERBS = (
    read("pr list", LIST + "base/B= head= draft/d"),
    read("pr view", VIEW), read("pr diff", "name-only patch color="), read("pr checks", "json= jq/q= required"),
    read("pr status", "json= jq/q="),
    read("issue list", LIST + "milestone/m= mention="), read("issue view", VIEW), read("issue status", "json= jq/q="),
    read("run list", "limit/L= json= jq/q= workflow= branch/b= status/s= user/u= event= commit/c= created="),
    read("run view", "json= jq/q= log log-failed job/j= attempt/a= exit-status"),
    read("workflow list", "limit/L= json= jq/q= all/a"), read("workflow view", "yaml ref/r="),
    read("repo list", "limit/L= json= jq/q= language/l= topic= visibility= archived no-archived source fork"),
    read("repo view", "json= jq/q= branch/b="),
    read("release list", "limit/L= json= jq/q= exclude-drafts exclude-pre-releases"), read("release view", "json= jq/q="),
    read("secret list", "json= jq/q= org/o= env= app/a="), read("variable list", "json= jq/q= org/o="),
    read("label list", "limit/L= json= jq/q= search/S="), read("cache list", "limit/L= json= jq/q= key/k= ref/r="),
    read("ruleset list", "limit/L= org/o="), read("ruleset view", "org/o="), read("ruleset check", "default"),
    read("org list", "limit/L="), read("auth status", "active/a"), read("api", "method/X= jq/q= paginate slurp"),
    *(read(f"search {what}", LIST + "repo= owner= sort= order= language=") for what in ("code", "commits", "issues", "prs", "repos")),
    read("project list", "limit/L= owner= format= jq/q= closed"), read("project view", "owner= format= jq/q="),
    read("status", "exclude/e= org/o="), read("version"), read("attestation list", "owner/o="),
    write("pr create", "title= body/b= base/B= head= draft/d label/l= reviewer/r= assignee/a= milestone/m="),
    write("pr edit", "title= body/b= base/B= add-label= remove-label= add-reviewer= remove-reviewer= add-assignee="),
    write("pr comment", "body/b="), write("pr review", "approve/a request-changes/r comment/c body/b="),
    write("pr ready", "undo"), write("pr reopen", "comment/c="), write("pr update-branch", "rebase"),
    destroy("pr merge", "merge/m squash/s rebase/r auto delete-branch/d admin subject= body/b= match-head-commit="),
    destroy("pr close", "comment/c= delete-branch/d"),
    write("issue create", "title= body/b= label/l= assignee/a= milestone/m="),
    write("issue edit", "title= body/b= add-label= remove-label= add-assignee= remove-assignee= milestone/m="),
    write("issue comment", "body/b="), write("issue close", "comment/c= reason/r="), write("issue reopen", "comment/c="),
    write("issue lock", "reason/r="), write("issue unlock"), write("issue pin"), write("issue unpin"),
    destroy("issue delete", "yes"), destroy("issue transfer"),
    write("run rerun", "failed job/j= debug/d"), destroy("run cancel"), destroy("run delete"),
    write("workflow run", "ref/r= raw-field/f="), write("workflow enable"), destroy("workflow disable"),
    write("release create", "title= notes/n= target= draft/d prerelease/p generate-notes latest verify-tag"),
    write("release edit", "title= notes/n= target= draft prerelease latest tag="),
    destroy("release delete", "yes/y cleanup-tag"), destroy("release delete-asset", "yes/y"),
    write("repo create", "private public internal description/d= template/p= team="),
    write("repo edit", "description/d= visibility= default-branch= add-topic= remove-topic= enable-issues enable-wiki delete-branch-on-merge"),
    write("repo fork", "org= fork-name="), destroy("repo archive", "yes/y"), destroy("repo delete", "yes"),
    write("repo unarchive", "yes/y"), destroy("repo rename", "yes/y"), write("repo sync", "source/s= branch/b= force"),
    destroy("secret delete", "org/o= env= app/a="), destroy("variable delete", "org/o= env="),
    write("variable set", "body/b= org/o= env= visibility/v= repos/r="),
    write("label create", "color/c= description/d= force/f"), write("label edit", "color/c= description/d= name/n="),
    destroy("label delete", "yes"), destroy("cache delete", "all/a"),
    destroy("repo deploy-key delete"), read("repo deploy-key list", "json= jq/q="),
    *(refuse(words, PRINTS) for words in ("auth token", "auth login", "auth logout", "auth refresh", "auth setup-git",
      "auth switch", "secret set", "auth git-credential", "ssh-key", "gpg-key", "repo deploy-key add")),
    *(refuse(words, PROGRAMS) for words in ("extension", "ext", "extensions", "alias", "config", "copilot", "skill", "agent-task", "models", "accessibility")),
    *(refuse(words, FILES) for words in ("pr checkout", "repo clone", "gist", "release upload", "release download",
      "run download", "attestation download", "attestation verify", "repo set-default", "codespace", "cs", "co", "release verify-asset")),
    *(refuse(words, STAYS) for words in ("browse", "run watch", "issue develop", "completion", "preview")),
)  # fmt: skip
ENDPOINT = re.compile(r"/?[A-Za-z0-9_{}][A-Za-z0-9_{}.\-/]*(?:\?[A-Za-z0-9_.\-=&%+:]*)?")
REPO = re.compile(r"[A-Za-z0-9_.\-]+/[A-Za-z0-9_.\-]+")


def review(parsed: Parsed) -> Parsed:
    why, effect = parsed.refused, parsed.effect
    for repo in parsed.flags.get("repo", ()):
        if not REPO.fullmatch(repo):
            why = why or f"--repo {repo[:60]} is refused: say OWNER/NAME"
    if any("://" in word or word.startswith("@") for word in parsed.operands):
        why = why or "an address is refused: name what is meant by number or OWNER/NAME"
    if parsed.verb == "api":
        methods = [value.upper() for value in parsed.flags.get("method", ())]
        if any(method not in {"GET", "HEAD"} for method in methods):
            effect = Effect.DESTRUCTIVE if "DELETE" in methods else Effect.WRITE
        (*_, endpoint) = parsed.operands or ("",)
        if len(parsed.operands) != 1 or not ENDPOINT.fullmatch(endpoint) or ".." in endpoint:
            why = why or "api takes one path, such as repos/OWNER/NAME/actions/runs"
        if endpoint.strip("/") == "graphql":
            effect = Effect.WRITE
        if re.search(r"(?i)registration-token|remove-token|access_tokens|/keys\b", endpoint):
            why = why or f"this path is refused: {PRINTS}"
    return replace(parsed, refused=why, effect=effect)


TOOL = Tool(
    name="gh",
    provider="github",
    common="repo/R=",
    target={"repo": "repo"},
    refused=REFUSED,
    verbs=VERBS,
    review=review,
)
