"""Where a workflow leads outside GitHub: the identities it takes, the images it pushes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

AWS_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
SERVICE_ACCOUNT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9-]+\.iam\.gserviceaccount\.com")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PUSHED = re.compile(r"docker\s+(?:image\s+)?push\s+(?:--?[\w-]+\s+)*[\"']?([^\s\"';&|]+)")
MOST = 20_000  # strings looked at: YAML can repeat one a thousand times


def identities(document: Any) -> dict[str, list[str]]:
    """The cloud identities that are named anywhere in the document, comments aside."""
    texts = "\n".join(strings(document))
    return {
        "aws_roles": sorted(set(AWS_ROLE.findall(texts))),
        "gcp_service_accounts": sorted(set(SERVICE_ACCOUNT.findall(texts))),
        "azure_client_ids": sorted(set(azure(document))),
    }


def strings(document: Any) -> Iterator[str]:
    """Every string, each object once: aliases may lead in circles."""
    places, seen = [document], set[int]()
    while places and len(seen) < MOST:
        place = places.pop()
        if isinstance(place, str):
            yield place
        elif isinstance(place, dict | list) and id(place) not in seen:
            seen.add(id(place))
            places.extend(place.values() if isinstance(place, dict) else place)


def azure(document: Any) -> Iterator[str]:
    """Client ids given to Azure's sign-in."""
    for job in mapping(mapping(document).get("jobs")).values():
        steps = mapping(job).get("steps")
        for step in steps if isinstance(steps, list) else ():
            if str(mapping(step).get("uses") or "").startswith("azure/login"):
                found = UUID.fullmatch(str(mapping(step.get("with")).get("client-id") or ""))
                if found:
                    yield found[0]


def mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def images(
    document: Mapping[Any, Any], jobs: Mapping[Any, Any], owner: str, repo: str
) -> list[str]:
    """The images that are pushed, without tag, as far as the file spells their names."""
    found: set[str] = set()
    for body in jobs.values():
        job = mapping(body)
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else ():
            known = {
                "github.repository": f"{owner}/{repo}",
                "github.repository_owner": owner,
                "github.event.repository.name": repo,
            }
            for place in (document, job, step):
                for name, value in mapping(mapping(place).get("env")).items():
                    known[f"env.{name}"] = str(value)
            found.update(filter(None, (named(text, known) for text in pushed(mapping(step)))))
    return sorted(found)


def pushed(step: Mapping[Any, Any]) -> Iterator[str]:
    """The image references of a step that pushes."""
    given = mapping(step.get("with"))
    if str(step.get("uses") or "").startswith("docker/build-push-action"):
        if str(given.get("push", "")).lower() not in {"", "false"}:
            yield from re.split(r"[\s,]+", unspaced(given.get("tags")))
    elif str(step.get("uses") or "").startswith("docker/metadata-action"):
        yield from re.split(r"[\s,]+", unspaced(given.get("images")))
    if isinstance(step.get("run"), str):
        yield from PUSHED.findall(unspaced(step["run"]))


def unspaced(text: Any) -> str:
    """Expressions without spaces, so that a reference is one word."""
    return re.sub(r"\$\{\{\s*(.*?)\s*\}\}", r"${{\1}}", str(text or "").strip())


def named(reference: str, known: Mapping[str, str]) -> str:
    """The name of an image without tag and digest; "" where an expression hides it."""
    for _ in range(3):  # a variable may be made of others
        reference = re.sub(
            r"\$\{\{\s*([\w.]+)\s*\}\}|\$\{?([A-Z][A-Z0-9_]*)\}?",
            lambda match: known.get(match[1] or f"env.{match[2]}", match[0]),
            reference,
        )
    name = reference.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    name = head + slash + tail.partition(":")[0]
    return "" if not tail or "$" in name or "/" not in name else name.lower()
