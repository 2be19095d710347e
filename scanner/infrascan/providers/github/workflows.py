"""What a workflow does, from its file: pure functions from text to facts.

The text itself is not kept. Facts are chosen so that a rule can say who may start the workflow,
what it trusts, what it may do with its token, and what it costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infrascan import redact
from infrascan.providers.github import schedules, shipping
from infrascan.providers.github.words import scalars

LONGEST = 1 << 20  # characters; GitHub refuses longer files
MOST = 2000  # jobs, and steps of all jobs
# What whoever opens an issue, comments or proposes a change writes freely.
UNTRUSTED = re.compile(
    r"github\.head_ref"
    r"|github\.event\.(?:issue|discussion)\.(?:title|body)"
    r"|github\.event\.pull_request\.(?:title|body|head\.(?:ref|label|repo\.(?:default_branch|description|homepage)))"
    r"|github\.event\.(?:comment|review|review_comment)\.body"
    r"|github\.event\.pages[^}\s]*\.page_name"
    r"|github\.event\.workflow_run\.(?:head_branch|display_title|head_commit\.(?:message|author\.(?:name|email)))"
)
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
HEAD = re.compile(
    r"github\.event\.pull_request\.head\.|github\.head_ref|refs/pull/"
    r"|github\.event\.(?:number|pull_request\.number)|merge_commit_sha"
    r"|github\.event\.workflow_run\.(?:head_|pull_requests)"
)
FETCHES_HEAD = re.compile(
    r"gh\s+pr\s+checkout|git\s+(?:fetch|checkout|pull)\b[^\n]*(?:pull/|head_ref|head\.)"
)
# Who started the run, or a label of a maintainer's, decides whether a job goes on.
GUARD = re.compile(
    r"head\.repo\.full_name\s*==|==\s*github\.event\.pull_request\.head\.repo\.full_name"
    r"|!\s*github\.event\.pull_request\.head\.repo\.fork|head\.repo\.fork\s*==\s*false"
    r"|author_association|event\.label\.name\s*==|(?<!!)contains\([^)]*labels"
    r"|(?:github\.(?:triggering_)?actor|user\.login|sender\.login)\s*=="
)
COMMIT = re.compile(r"[0-9a-f]{40}")
LARGER = re.compile(r"(?i)(?:\d+-?cores?|[-_]x?large)$")
GITHUB_OWNERS = frozenset({"actions", "github"})
TREE: Any = {
    "name": {},
    "triggers": {"[]": {}},
    "schedules": {"[]": {"cron": {}, "runs_per_day": {}, "every_minutes": {}}},
    "permissions": {"*": {}},
    "permissions_declared": {},
    "id_token": {},
    "concurrency": {},
    "cancels_superseded": {},
    "uses": {
        "[]": {
            **scalars("action", "owner", "repo", "ref", "kind", "publisher", "job"),
            **scalars("pinned", "secrets_inherit", "moving"),
        }
    },
    "untrusted": {"[]": scalars("expression", "job", "step", "guarded")},
    "head_checkouts": {"[]": scalars("job", "step", "guarded")},
    "containers": {"[]": {"image": {}, "job": {}, "pinned": {}}},
    "plain_secrets": {"[]": {"name": {}, "class": {}, "job": {}}},
    "secrets": {"[]": {}},
    "caches": {},
    "retention_days": {"[]": {}},
    "jobs": {
        "[]": {
            **scalars("id", "timeout_minutes", "environment", "concurrency"),
            **scalars("self_hosted", "macos", "windows", "larger_runner"),
            **scalars("timeout_declared", "calls", "permissions_declared"),
            "runs_on": {"[]": {}},
            "permissions": {"*": {}},
        }
    },
}
FIELDS: Any = {
    "workflow": TREE,
    "aws_roles": {"[]": {}},
    "gcp_service_accounts": {"[]": {}},
    "azure_client_ids": {"[]": {}},
    "images": {"[]": {}},
    "environment_ids": {"[]": {}},
}


def facts(text: str, owner: str, repo: str) -> dict[str, Any]:
    """The facts of one workflow file. Raises `ValueError` for one that is no workflow."""
    document = parsed(text)
    jobs = mapping(document.get("jobs"))
    steps = [(job, step) for job, body in jobs.items() for step in steps_of(body)]
    if len(jobs) > MOST or len(steps) > MOST:
        raise ValueError("it has too many jobs or steps")
    # YAML 1.1, which PyYAML reads, takes the bare word `on` for true.
    triggers = document.get("on", document.get(True))
    described = [job_facts(name, body) for name, body in jobs.items()]
    own = permissions(document.get("permissions"))
    guarded = guarded_jobs(triggers, jobs)
    environments = sorted({job["environment"] for job in described if job["environment"]})
    return {
        "workflow": {
            "name": str(document.get("name") or ""),
            "triggers": trigger_names(triggers),
            "schedules": schedules.of(triggers),
            "permissions": own,
            "permissions_declared": "permissions" in document,
            "id_token": any(
                "write" in (p.get("id-token"), p.get("all"))
                for p in (own, *(j["permissions"] for j in described))
            ),
            "concurrency": "concurrency" in document,
            "cancels_superseded": mapping(document.get("concurrency")).get("cancel-in-progress")
            is True,
            "uses": [*called(jobs, owner), *used(steps, owner)],
            "untrusted": list(untrusted(steps, guarded)),
            "head_checkouts": list(head_checkouts(steps, guarded)),
            "containers": list(containers(jobs, steps)),
            "plain_secrets": list(plain_secrets(document, jobs, steps)),
            "secrets": sorted(set(re.findall(r"\bsecrets\.([A-Za-z_]\w*)", text))),
            "caches": any(action(step).startswith("actions/cache") for _, step in steps),
            "retention_days": retention(steps),
            "jobs": described,
        },
        **shipping.identities(document),
        "images": shipping.images(document, jobs, owner, repo),
        "environment_ids": [f"{owner}/{repo}/{name}" for name in environments if "${{" not in name],
    }


def parsed(text: str) -> Mapping[Any, Any]:
    """The document. Raises `ValueError` without a word of its content."""
    import yaml

    if len(text) > LONGEST:
        raise ValueError("it is too long")
    try:
        document = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"it is no YAML, at line {line}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ValueError("it is no YAML") from None
    if not isinstance(document, dict) or not isinstance(document.get("jobs"), dict):
        raise ValueError("it has no jobs")
    return document


def mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def steps_of(job: Any) -> Iterator[Mapping[Any, Any]]:
    steps = mapping(job).get("steps")
    for step in steps if isinstance(steps, list) else ():
        if isinstance(step, dict):
            yield step


def action(step: Mapping[Any, Any]) -> str:
    return str(step.get("uses") or "")


def title(step: Mapping[Any, Any]) -> str:
    """What a step is called in GitHub's pages."""
    return redact.text(str(step.get("name") or step.get("id") or action(step) or "run"))[:80]


def trigger_names(triggers: Any) -> list[str]:
    if isinstance(triggers, str):
        return [triggers]
    if isinstance(triggers, dict | list):
        return sorted(str(name) for name in triggers)
    return []


def permissions(declared: Any) -> dict[str, str]:
    """Scope -> access. "write-all" and "read-all" are {"all": …}."""
    if isinstance(declared, str):
        return {"all": declared.removesuffix("-all")} if declared.endswith("-all") else {}
    return {str(scope): str(access) for scope, access in mapping(declared).items()}


def job_facts(name: Any, body: Any) -> dict[str, Any]:
    job = mapping(body)
    labels, grouped = runner(job)
    environment = job.get("environment")
    if isinstance(environment, dict):
        environment = environment.get("name")
    minutes = job.get("timeout-minutes")
    return {
        "id": str(name),
        "runs_on": labels,
        "self_hosted": grouped or "self-hosted" in labels,
        "macos": any(label.lower().startswith("macos") for label in labels),
        "windows": any(label.lower().startswith("windows") for label in labels),
        "larger_runner": any(LARGER.search(label) for label in labels),
        "timeout_minutes": minutes if isinstance(minutes, int | float) else None,
        "timeout_declared": minutes is not None,
        "calls": str(job.get("uses") or "") or None,
        "environment": str(environment) if environment else None,
        "concurrency": "concurrency" in job,
        "permissions": permissions(job.get("permissions")),
        "permissions_declared": "permissions" in job,
    }


def runner(job: Mapping[Any, Any]) -> tuple[list[str], bool]:
    """The labels of the machines a job runs on, a matrix unfolded; and whether it names a group."""
    wanted = job.get("runs-on")
    grouped = isinstance(wanted, dict) and bool(wanted.get("group"))
    if isinstance(wanted, dict):
        wanted = wanted.get("labels")
    labels: list[str] = []
    for label in wanted if isinstance(wanted, list) else [wanted] if wanted else []:
        found = re.fullmatch(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}", str(label).strip())
        labels += matrix(job, found[1]) if found else [str(label)]
    return sorted(set(labels)), grouped


def matrix(job: Mapping[Any, Any], name: str) -> list[str]:
    values = mapping(mapping(job.get("strategy")).get("matrix"))
    listed = values.get(name)
    found = [str(value) for value in listed] if isinstance(listed, list) else []
    included = values.get("include")
    for entry in included if isinstance(included, list) else ():
        found += [str(entry[name])] if name in mapping(entry) else []
    return found or [f"${{{{ matrix.{name} }}}}"]


def called(jobs: Mapping[Any, Any], owner: str) -> list[dict[str, Any]]:
    """The reusable workflows that jobs are."""
    found = []
    for name, body in jobs.items():
        job = mapping(body)
        if text := action(job):
            entry = reference(text, owner, str(name))
            entry["kind"] = "local" if entry["kind"] == "local" else "workflow"
            entry["secrets_inherit"] = job.get("secrets") == "inherit"
            found.append(entry)
    return found


def used(steps: list[tuple[Any, Mapping[Any, Any]]], owner: str) -> list[dict[str, Any]]:
    """The actions of all steps, each once per job."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for job, step in steps:
        if text := action(step):
            found.setdefault((str(job), text), reference(text, owner, str(job)))
    return list(found.values())


def reference(text: str, owner: str, job: str) -> dict[str, Any]:
    """`owner/repo/path@ref` taken apart."""
    entry: dict[str, Any] = {"action": text, "job": job, "secrets_inherit": False}
    if text.startswith(("./", "../")):
        return {**entry, "kind": "local", "publisher": "own", "pinned": True, "moving": False}
    if text.startswith("docker://"):
        pinned = "@sha256:" in text
        return {
            **entry,
            "kind": "docker",
            "publisher": "other",
            "pinned": pinned,
            "moving": not pinned,
        }
    place, _, ref = text.partition("@")
    whose = place.partition("/")[0]
    publisher = "other"
    if whose.lower() == owner.lower():
        publisher = "own"
    elif whose.lower() in GITHUB_OWNERS:
        publisher = "github"
    return {
        **entry,
        "kind": "action",
        "owner": whose,
        "repo": "/".join(place.split("/")[:2]),
        "ref": ref,
        "publisher": publisher,
        "pinned": bool(COMMIT.fullmatch(ref)),
        "moving": ref in {"main", "master", "latest", "HEAD", ""},
    }


def scripts(step: Mapping[Any, Any]) -> Iterator[str]:
    """The parts of a step that a shell or an interpreter runs as a program."""
    if isinstance(step.get("run"), str):
        yield step["run"]
    if action(step).startswith("actions/github-script"):
        yield str(mapping(step.get("with")).get("script") or "")


def guarded_jobs(triggers: Any, jobs: Mapping[Any, Any]) -> frozenset[str]:
    """The jobs that look at who started them, or that only a maintainer's label starts."""
    if isinstance(triggers, dict) and "pull_request_target" in triggers:
        types = mapping(triggers["pull_request_target"]).get("types")
        if types in ("labeled", ["labeled"]):
            return frozenset(map(str, jobs))
    return frozenset(
        str(name) for name, body in jobs.items() if GUARD.search(str(mapping(body).get("if")))
    )


def untrusted(
    steps: list[tuple[Any, Mapping[Any, Any]]], guarded: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """Expressions that paste what strangers wrote into a program."""
    for job, step in steps:
        for script in scripts(step):
            for expression in EXPRESSION.findall(script):
                if found := UNTRUSTED.search(expression):
                    yield {"expression": found[0], **place(job, step, guarded)}


def head_checkouts(
    steps: list[tuple[Any, Mapping[Any, Any]]], guarded: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """Steps that fetch the code of a pull request instead of the branch it goes to."""
    for job, step in steps:
        given = mapping(step.get("with"))
        places = f"{given.get('ref', '')} {given.get('repository', '')}"
        checkout = action(step).startswith("actions/checkout") and HEAD.search(places)
        if checkout or any(FETCHES_HEAD.search(script) for script in scripts(step)):
            yield place(job, step, guarded)


def place(job: Any, step: Mapping[Any, Any], guarded: frozenset[str]) -> dict[str, Any]:
    """Where a step is, and whether it asks who started it."""
    asks = str(job) in guarded or bool(GUARD.search(str(step.get("if"))))
    return {"job": str(job), "step": title(step), "guarded": asks}


def containers(
    jobs: Mapping[Any, Any], steps: list[tuple[Any, Mapping[Any, Any]]]
) -> Iterator[dict[str, Any]]:
    """The images that jobs run in, beside, or as a step."""
    for name, body in jobs.items():
        services = mapping(mapping(body).get("services"))
        for value in (mapping(body).get("container"), *services.values()):
            image = value.get("image") if isinstance(value, dict) else value
            if isinstance(image, str) and image:
                yield {"image": image, "job": str(name), "pinned": "@sha256:" in image}
    for name, step in steps:
        if action(step).startswith("docker://"):
            image = action(step).removeprefix("docker://")
            yield {"image": image, "job": str(name), "pinned": "@sha256:" in image}


def plain_secrets(
    document: Mapping[Any, Any],
    jobs: Mapping[Any, Any],
    steps: list[tuple[Any, Mapping[Any, Any]]],
) -> Iterator[dict[str, Any]]:
    """Variables whose value looks like a secret: their names, never the values."""
    places = [("", document.get("env"))]
    places += [(str(name), mapping(body).get("env")) for name, body in jobs.items()]
    places += [(str(job), step.get(part)) for job, step in steps for part in ("env", "with")]
    for job, variables in places:
        for name, value in mapping(variables).items():
            if not isinstance(value, str) or "${{" in value or value in {"inherit", "true"}:
                continue
            if found := redact.secret_class(str(name), value):
                yield {"name": str(name), "class": found, "job": job}


def retention(steps: list[tuple[Any, Mapping[Any, Any]]]) -> list[int]:
    """For how many days artifacts are kept, where a step says it."""
    found = set()
    for _, step in steps:
        if action(step).startswith("actions/upload-artifact"):
            days = mapping(step.get("with")).get("retention-days")
            if isinstance(days, int) or (isinstance(days, str) and days.isdigit()):
                found.add(int(days))
    return sorted(found)
