"""The door of every platform but AWS and Kubernetes, as a stranger meets it: what is missing, wrong,
denied, slow or broken is one line or one gap, never a traceback, a hang or a pass.

A run costs a second of a processor, so most cases share one: each reads all platforms at once, and
is then asked about one at a time.
"""

from __future__ import annotations

import ctypes
import gzip
import json
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import trio
from mcp import Client, StdioServerParameters

from infrascan.collect.provider import Selection
from infrascan.pipeline import now
from infrascan.providers import PROVIDERS, load
from infrascan.render.gaps import remedy
from infrascan.render.loading import gap as gap_of_row
from tests.cli.command import CLEAN, COVERAGE, INTERRUPTED, USAGE, Command, Done, ended
from tests.cli.platforms import ALL, NAMES, OVER_REST, SECRET, Platforms, secrets, served
from tests.servers.gcp import Refusal, denied
from tests.servers.proxy import PAGE, RESET, Answer
from tests.servers.rest import Request, json_answer
from tests.test_demo import NO_NETWORK

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

JSON = {"content-type": "application/json"}
EVERY = "json,html,markdown,sarif,junit,csv"
Fault = Callable[[Request], Answer | None]


@dataclass
class Ran:
    """What a run left behind."""

    done: Done
    command: Command
    seconds: float

    @property
    def report(self) -> Any:
        return self.command.report()

    def said(self, provider: str) -> str:
        """The one line about a provider that could not be read."""
        (line,) = [
            one for one in self.done.complaints if one.startswith(f"infrascan: {provider} could")
        ]
        return line.removeprefix(f"infrascan: {provider} could not be read: ")

    def gaps(self, provider: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.report["gaps"]
        return [row for row in rows if row["provider"] == provider]

    def groups(self, provider: str) -> set[tuple[str, str, str]]:
        """Call, reason and permission of the gaps: what a report shows as one."""
        return {(row["call"], row["reason"], row["permission"]) for row in self.gaps(provider)}

    def kinds(self, provider: str) -> dict[str, int]:
        return {
            row["kind"]: row["resources"]
            for row in self.report["coverage"]
            if row["provider"] == provider
        }

    def keys(self, provider: str) -> set[str]:
        return {row["key"] for row in self.report["resources"] if row["provider"] == provider}

    @property
    def kept(self) -> str:
        """Everything that was written, as text: output, logs, reports, recording, journal, store."""
        parts = [self.done.out, self.done.err]
        for path in sorted(self.command.folder.rglob("*")):
            if path.suffix == ".parquet":
                parts.append(json.dumps(pyarrow.parquet.read_table(path).to_pylist(), default=str))
            elif path.suffix == ".gz":
                parts.append(gzip.decompress(path.read_bytes()).decode())
            elif path.is_file():
                parts.append(path.read_text(encoding="utf-8", errors="replace"))
        return "\n".join(parts)


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platforms]:
    with served(tmp_path_factory.mktemp("platforms")) as running:
        yield running


Runner = Callable[..., Ran]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Runner:
    """Runs a command in a folder of its own: `runner(*words, env=..., during=...)`."""

    def run(
        *words: object,
        env: Mapping[str, str] | None = None,
        during: AbstractContextManager[Any] | None = None,
        **options: Any,
    ) -> Ran:
        command = Command(tmp_path_factory.mktemp("run"), cache, dict(env or {}))
        began = time.monotonic()
        with during or nullcontext():
            done = command(*words, **options)
        return Ran(done, command, time.monotonic() - began)

    return run


def rotten(platforms: Platforms) -> dict[str, str]:
    """The environment with secrets that nobody takes."""
    found = {**platforms.only(), "TF_HTTP_USERNAME": "ci", "TF_HTTP_PASSWORD": "x"}
    return {name: f"wr0ng-{name.lower()}-{'7' * 20}" if name in SECRET else value
            for name, value in found.items()}  # fmt: skip


# Nothing is set up


@pytest.fixture(scope="module")
def nothing(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """With a hook that ends the process at the first attempt to reach anything."""
    hook = tmp_path_factory.mktemp("hook")
    (hook / "sitecustomize.py").write_text(NO_NETWORK)
    env = {"PYTHONPATH": str(hook), "NO_GCE_CHECK": "true"}
    return {
        "providers": runner("providers", "--json", env=env),
        "run": runner("run", "--providers", ALL, "--format", "json", env=env),
        "bare": runner("run", env=env),
    }


def test_nothing_is_asked_of_a_network_without_credentials(nothing: dict[str, Ran]):
    assert {name: ran.done.code for name, ran in nothing.items()} == {
        "providers": CLEAN,
        "run": COVERAGE,
        "bare": USAGE,
    }
    assert nothing["providers"].done.err == ""
    assert "infrascan providers" in nothing["bare"].done.complaint
    assert "--demo" in nothing["bare"].done.complaint


@pytest.mark.parametrize("provider", NAMES)
def test_without_credentials_a_provider_is_not_configured_and_says_what_to_do(
    nothing: dict[str, Ran], provider: str
):
    (identity,) = [i for i in nothing["providers"].done.json if i["provider"] == provider]
    assert identity["state"] == "not configured"
    assert identity["detail"]
    assert re.match(r"(run|set|export|start|make|create|give) ", identity["remedy"])
    assert identity["remedy"] in nothing["run"].said(provider)
    (gap,) = nothing["run"].gaps(provider)
    assert gap["reason"] == "unauthenticated"


# Credentials that are refused, and servers that are not there, at the door


def at_the_door(platforms: Platforms, answer: Answer) -> AbstractContextManager[None]:
    """Everything answers that; Google, whose SDK repeats a token's request slowly, gives tokens."""
    given = answer.status in {429, 503}
    faults: dict[str, Fault] = {name: lambda _: answer for name in platforms.servers}
    faults["gcp"] = lambda r: None if given and r.path == "/oauth2/token" else answer
    status = "RESOURCE_EXHAUSTED" if answer.status == 429 else "UNAVAILABLE"
    wait = 3600 if answer.status == 429 else None
    return platforms.failing(faults, lambda _: Refusal(status, "not now", retry=wait))


def door(platforms: Platforms, *more: object) -> tuple[object, ...]:
    state = f"{platforms.servers['terraform'].url}/state/prod/shop"
    return ("run", "--providers", ALL, "--state", state, "--format", EVERY, "--json-logs", *more)


@pytest.fixture(scope="module")
def refused(platforms: Platforms, runner: Runner) -> Ran:
    """Wrong secrets; what has none of its own is refused for itself."""
    token = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
    faults: dict[str, Fault] = {
        "gcp": lambda r: json_answer(token, 400) if r.path == "/oauth2/token" else None,
        "docker": lambda _: json_answer({"message": "authorization denied by plugin"}, 403),
        "terraform": lambda _: Answer(401, {}, b""),
    }
    env = rotten(platforms)
    return runner(*door(platforms)[:-1], env=env, during=platforms.failing(faults))


@pytest.mark.parametrize(
    ("provider", "what", "remedy"),
    [
        ("gcp", "expired, revoked, or this machine's clock is wrong", "make a new key"),
        ("azure", "AADSTS7000215: Invalid client secret", "check the client secret"),
        ("cloudflare", "Invalid access token (code 9109) (CLOUDFLARE_API_TOKEN)", "new API token"),
        ("hetzner", "unable to authenticate (HCLOUD_TOKEN)", "make a token with the permission"),
        ("digitalocean", "Unable to authenticate you", "infrascan permissions digitalocean"),
        ("github", "Bad credentials", "gh auth refresh"),
        ("docker", "authorization denied by plugin", "infrascan permissions docker"),
        ("terraform", "missing, wrong or expired", "TF_HTTP_PASSWORD"),
    ],
)
def test_wrong_credentials_are_one_line_with_a_remedy(
    refused: Ran, provider: str, what: str, remedy: str
):
    assert refused.done.code == COVERAGE
    line = refused.said(provider)
    assert what in line
    assert remedy in line
    assert {gap["reason"] for gap in refused.gaps(provider)} <= {"unauthenticated", "denied"}


def test_no_secret_of_the_environment_is_written_anywhere(platforms: Platforms, refused: Ran):
    written = refused.kept
    for secret in secrets(rotten(platforms)):
        assert secret not in written


DOORS = {
    "an error page": (Answer(503, {"retry-after": "0"}, b""), ("azure", "unreachable")),
    "a reset": (RESET, ("hetzner", "unreachable")),
    "a captive portal": (PAGE, ("hetzner", "malformed")),
    "a shut door": (Answer(429, {"retry-after": "3600", **JSON}, b"{}"), ("github", "throttled")),
}


@pytest.mark.parametrize("case", DOORS)
def test_a_door_that_does_not_open_is_one_line_for_each_provider(
    platforms: Platforms, runner: Runner, case: str
):
    answer, (example, reason) = DOORS[case]
    ran = runner(*door(platforms), env=platforms.only(), during=at_the_door(platforms, answer))
    assert ran.done.code == COVERAGE
    assert ran.seconds < 40
    lines = [json.loads(line)["text"] for line in ran.done.err.splitlines() if '"error"' in line]
    for provider in NAMES:
        (line,) = [one for one in lines if one.startswith(f"{provider} could not be read: ")]
        assert re.search(r"[;.] \S", line), line  # what to do
        assert "[redacted" not in line
        assert "  " not in line
        assert {gap["reason"] for gap in ran.gaps(provider)} <= {
            *("unreachable", "malformed", "throttled", "unauthenticated"),
        }
    assert {gap["reason"] for gap in ran.gaps(example)} == {reason}


# One list of each kind of fault, while everything else answers


TURN = ("denied", "expired", "html", "reset", "down", "hollow")
ANSWERS = {
    "denied": Answer(403, JSON, b'{"message": "no"}'),
    "expired": Answer(401, JSON, b'{"message": "expired"}'),
    "html": PAGE,
    "reset": RESET,
    "down": Answer(503, {"retry-after": "0", **JSON}, b"{}"),
    "hollow": json_answer({"extra": 1}),
}
REASONS = {
    "denied": "denied",
    "expired": "unauthenticated",
    "html": "malformed",
    "reset": "unreachable",
    "down": "unreachable",
    "hollow": "malformed",
}
# A list for each fault: the end of the requests' path, and of the call as gaps name it.
LISTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "gcp": (
        ("/rrsets", "/rrsets"),
        ("/timeSeries", "/timeSeries"),
        ("google.compute.disk.IdleResourceRecommender/recommendations", "/recommendations"),
    ),
    "azure": tuple(
        (f"/{name}", f"/{name}")
        for name in (
            *("roleAssignments", "roleDefinitions", "policyAssignments"),
            *("locks", "recommendations", "resourcegroups"),
        )
    ),
    "cloudflare": tuple(
        (f"/{name}", f"/{name}")
        for name in (
            *("workers/scripts", "cfd_tunnel", "queues"),
            *("d1/database", "namespaces", "access/groups"),
        )
    ),
    "hetzner": tuple(
        (f"/{name}", f"/{name}")
        for name in ("servers", "volumes", "images", "networks", "firewalls", "primary_ips")
    ),
    "digitalocean": tuple(
        (f"/{name}", f"/{name}")
        for name in ("volumes", "firewalls", "vpcs", "snapshots", "certificates", "projects")
    ),
    "github": tuple(
        (f"/acme-shop{name}", f"/orgs/{{org}}{name}")
        for name in (
            *("/actions/secrets", "/installations", "/rulesets"),
            *("/actions/runners", "/actions/variables", "/packages"),
        )
    ),
    "docker": (
        ("/networks", "/networks"),
        ("/volumes", "/volumes"),
        ("/images/json", "/images/json"),
        ("/containers/json", "/containers/json"),
    ),
}
PLACES = [
    (name, fault, call)
    for name, lists in LISTS.items()
    for fault, (_, call) in zip(TURN, lists, strict=False)
]


def faults_of(name: str) -> Fault:
    def fault(request: Request) -> Answer | None:
        for what, (end, _) in zip(TURN, LISTS[name], strict=False):
            if request.path.endswith(end):
                return ANSWERS[what]
        return None

    return fault


@pytest.fixture(scope="module")
def torn(platforms: Platforms, runner: Runner) -> Ran:
    return runner(
        *("run", "--providers", ",".join(OVER_REST), "--min-coverage", "99.9", "--format", EVERY),
        env=platforms.only(),
        during=platforms.failing({name: faults_of(name) for name in OVER_REST}),
    )


@pytest.mark.parametrize(("provider", "fault", "call"), PLACES)
def test_a_fault_in_one_list_is_one_gap_and_the_rest_is_read(
    torn: Ran, provider: str, fault: str, call: str
):
    found = {group for group in torn.groups(provider) if group[0].endswith(call)}
    ((_, reason, permission),) = found
    assert reason == REASONS[fault]
    assert permission or reason == "malformed"


@pytest.mark.parametrize("provider", OVER_REST)
def test_other_lists_are_read_all_the_same(torn: Ran, whole: Ran, provider: str):
    hit = {call for name, _, call in PLACES if name == provider}
    lost = {gap["kind"] for gap in torn.gaps(provider)}
    before = whole.kinds(provider)
    assert lost
    assert len(torn.groups(provider) - whole.groups(provider)) == len(hit)
    after = torn.kinds(provider)
    assert {kind: after[kind] for kind in after if kind not in lost} == {
        kind: before[kind] for kind in before if kind not in lost
    }


def test_too_little_coverage_is_exit_3_with_the_figure(torn: Ran):
    assert torn.done.code == COVERAGE
    assert re.fullmatch(
        r"infrascan: \d\d\.\d % was read, --min-coverage asks for 99\.9", torn.done.complaint
    )


def test_every_gap_says_in_one_sentence_what_closes_it(torn: Ran, refused: Ran):
    for row in (*torn.report["gaps"], *refused.report["gaps"]):
        told = remedy(gap_of_row(row))
        assert re.fullmatch(r"[A-Z].*[^.]\.", told), told
        assert not re.search(r"Grant (run|make|set|give|terraform|GET|API token)\b", told)
    for name in ("report.md", "report.html", "report.sarif", "report.junit.xml"):
        text = (torn.command.folder / "infrascan-report" / name).read_text()
        assert "Grant" in text
        assert "Grant GET" not in text


# All is well, but for hiccups that go by: recorded and replayed


def hiccups() -> dict[str, Fault]:
    """The first requests of some lists fail in ways that are worth another attempt."""
    seen: dict[str, int] = {}

    def first(end: str, *answers: Answer) -> Fault:
        def fault(request: Request) -> Answer | None:
            if not request.path.endswith(end):
                return None
            seen[end] = seen.get(end, 0) + 1
            return answers[seen[end] - 1] if seen[end] <= len(answers) else None

        return fault

    down = Answer(503, {"retry-after": "0"}, b"")
    busy, later = Answer(429, JSON, b"{}"), Answer(429, {"retry-after": "1", **JSON}, b"{}")
    secondary = json_answer(
        {"message": "You have exceeded a secondary rate limit. Please wait."},
        403,
        {"retry-after": "1"},
    )
    return {
        "hetzner": first("/servers", busy),
        "digitalocean": first("/v2/volumes", later),
        "github": first("/website/actions/runners", secondary),
        "cloudflare": first("/queues", down),
        "docker": first("/networks", busy),
        "azure": first("/roleAssignments", down, RESET),
        "gcp": first("/rrsets", down),
    }


@pytest.fixture(scope="module")
def whole(platforms: Platforms, runner: Runner) -> Ran:
    return runner(
        *("run", "--providers", ALL, "--state", platforms.state, "--record", "answers"),
        *("--format", EVERY),
        env=platforms.only(),
        during=platforms.failing(hiccups()),
    )


def test_hiccups_leave_no_trace(whole: Ran):
    assert (whole.done.code, whole.done.complaints) == (CLEAN, [])
    assert {gap["reason"] for name in NAMES for gap in whole.gaps(name)} <= {
        *("denied", "disabled", "out_of_scope"),
    }
    assert all(whole.keys(name) for name in NAMES)


def test_a_replay_of_all_is_the_same_byte_by_byte(whole: Ran):
    done = whole.command(
        *("run", "--replay", "answers", "--format", EVERY, "--output", "again"),
        env=dict.fromkeys(whole.command.environment, ""),
    )
    assert (done.code, done.complaints) == (CLEAN, [])
    again = whole.command.folder / "again"
    found = [
        difference(
            path.read_text(encoding="utf-8"), (again / path.name).read_text(encoding="utf-8")
        )
        for path in sorted((whole.command.folder / "infrascan-report").iterdir())
    ]
    assert not any(found), found


def difference(one: str, other: str) -> str:
    """Where two texts part, for a reader; pytest's own comparison of megabytes takes minutes."""
    if one == other:
        return ""
    place = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    return (
        f"{one[max(0, place - 200) : place + 200]!r} | {other[max(0, place - 200) : place + 200]!r}"
    )


def test_no_secret_is_in_a_recording_a_report_or_the_store(platforms: Platforms, whole: Ran):
    written = whole.kept
    for secret in secrets(platforms.only()):
        assert secret not in written


def test_an_hour_of_silence_is_not_waited_for(platforms: Platforms, runner: Runner, whole: Ran):
    shut = Answer(429, {"retry-after": "3600", **JSON}, b"{}")
    ends = {"hetzner": "/volumes", "digitalocean": "/v2/volumes", "cloudflare": "/queues"}
    secondary = json_answer(
        {"message": "You have exceeded a secondary rate limit."}, 403, {"retry-after": "3600"}
    )
    faults: dict[str, Fault] = {
        name: lambda r, end=end: shut if r.path.endswith(end) else None  # type: ignore[misc]
        for name, end in ends.items()
    }
    faults["github"] = lambda r: secondary if r.path.endswith("/acme-shop/rulesets") else None
    names = ("hetzner", "digitalocean", "cloudflare", "github")
    ran = runner(
        *("run", "--providers", ",".join(names), "--format", "json"),
        env=platforms.only(*names),
        during=platforms.failing(faults),
    )
    assert ran.done.code == CLEAN
    assert ran.seconds < 30
    for name in names:
        new = {gap["reason"] for gap in ran.gaps(name)} - {
            *("denied", "disabled", "out_of_scope"),
        }
        assert new == {"throttled"}
        read, all_of_it = (sum(one.kinds(name).values()) for one in (ran, whole))
        assert read < all_of_it or name == "github"


# Answers in another form


def twisted(platforms: Platforms, name: str) -> Fault:
    """Real answers with fields that nobody knows, in every object."""

    def extra(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: extra(v) for k, v in value.items()} | {"brand_new": {"deep": [None, 1]}}
        return [extra(item) for item in value] if isinstance(value, list) else value

    def fault(request: Request) -> Answer | None:
        kept = platforms.servers[name].answer(request)
        maps = ("labels", "Labels", "tags", "token", "timeSeries", "openid", "/resources")
        if kept.status != 200 or not kept.body.startswith((b"{", b"[")):
            return None
        if any(word in request.path for word in maps):
            return None
        return Answer(kept.status, kept.headers, json.dumps(extra(json.loads(kept.body))).encode())

    return fault


def test_fields_that_nobody_knows_change_nothing_that_is_read(
    platforms: Platforms, runner: Runner, whole: Ran
):
    names = ("cloudflare", "hetzner", "digitalocean", "github", "docker")
    ran = runner(
        *("run", "--providers", ",".join(names), "--format", "json"),
        env=platforms.only(*names),
        during=platforms.failing({name: twisted(platforms, name) for name in names}),
    )
    assert ran.done.code == CLEAN
    for name in names:
        assert ran.keys(name) == whole.keys(name)
        assert ran.groups(name) == whole.groups(name)


def round_and_round(platforms: Platforms) -> dict[str, Fault]:
    """Pages that lead back to the first."""
    pages = {"meta": {"pagination": {"page": 1, "next_page": 1, "last_page": 9}}}
    base = platforms.servers["azure"].url
    place = "https://api.digitalocean.com/v2/volumes?page=1&per_page=200"
    answers: dict[str, tuple[str, Answer]] = {
        "hetzner": ("/volumes", json_answer({"volumes": [], **pages})),
        "digitalocean": (
            "/v2/volumes",
            json_answer({"volumes": [], "links": {"pages": {"next": place}}}),
        ),
        "github": (
            "/acme-shop/rulesets",
            json_answer([], headers={"Link": '<https://api.github.com/x?page=1>; rel="next"'}),
        ),
        "azure": (
            "/roleAssignments",
            json_answer({"value": [], "nextLink": f"{base}/x?api-version=1&$skiptoken=a"}),
        ),
        "gcp": ("/rrsets", json_answer({"rrsets": [], "nextPageToken": "again"})),
    }
    return {
        name: lambda r, end=end, answer=answer: answer if r.path.endswith(end) else None  # type: ignore[misc]
        for name, (end, answer) in answers.items()
    }


def test_pages_that_go_round_in_a_circle_are_a_truncated_list(platforms: Platforms, runner: Runner):
    faults = round_and_round(platforms)
    ran = runner(
        *("run", "--providers", ",".join(faults), "--format", "json", "--deadline", "40"),
        env=platforms.only(*faults),
        during=platforms.failing(faults),
    )
    assert ran.done.code == CLEAN
    assert ran.seconds < 40
    for name in faults:
        cut = {call for call, reason, _ in ran.groups(name) if reason == "truncated"}
        assert len(cut) == 1, (name, ran.groups(name))


# One of several is not there, or not ours to read


TORN = '{"version": 4, "serial": 3, "resou'


@pytest.fixture(scope="module")
def several(platforms: Platforms, runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Two of each: one that is read, one that is refused."""
    home = tmp_path_factory.mktemp("several")
    env = platforms.only()
    token, other = env.pop("HCLOUD_TOKEN"), "r" * 64
    (home / "cli.toml").write_text(
        'active_context = "builds"\n'
        f'[[contexts]]\nname = "builds"\ntoken = "{token}"\n'
        f'[[contexts]]\nname = "gone"\ntoken = "{other}"\n'
    )
    (home / "doctl").mkdir()
    (home / "doctl" / "config.yaml").write_text(
        f"auth-contexts:\n  blog: {env.pop('DIGITALOCEAN_ACCESS_TOKEN')}\n  gone: {other}\n"
    )
    (home / "torn.tfstate").write_text(TORN)
    env |= {"HCLOUD_CONFIG": str(home / "cli.toml"), "XDG_CONFIG_HOME": str(home)}
    socket = env.pop("DOCKER_HOST")
    no = Answer(403, JSON, b'{"message": "Resource not accessible by personal access token"}')
    zone = json_answer({"success": False, "errors": [{"code": 10000, "message": "no"}]}, 403)
    return runner(
        *("run", "--providers", ALL, "--format", "json"),
        *("--project", "acme-analytics", "--project", "acme-ml-sandbox"),
        *("--subscription", "acme-erp", "--subscription", "0" * 8 + "-0000-0000-0000-" + "0" * 12),
        *("--hcloud-context", "builds", "--hcloud-context", "gone"),
        *("--doctl-context", "blog", "--doctl-context", "gone"),
        *("--docker", socket, "--docker", f"unix://{home}/none.sock"),
        *("--state", platforms.state, "--state", home / "torn.tfstate"),
        env=env,
        during=platforms.failing(
            {
                "github": lambda r: no if "/acme-shop/payments/hooks" in r.path else None,
                "cloudflare": lambda r: (
                    zone if re.search(r"0a1b2c3d\w+/dns_records", r.path) else None
                ),
                "gcp": lambda r: (
                    json_answer(
                        {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no"}},
                        403,
                    )
                    if "acme-ml-sandbox" in r.path
                    else None
                ),
            },
            lambda asked: (
                denied("cloudasset.assets.listResource", asked["parent"])
                if asked["parent"] == "projects/acme-ml-sandbox"
                else None
            ),
        ),
    )


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        ("gcp", "acme-ml-sandbox"),
        ("azure", "does not exist or is not visible to application"),
        ("cloudflare", "1 of 2 lists failed, the first for"),
        ("hetzner", "unable to authenticate"),
        ("digitalocean", "Unable to authenticate you"),
        ("github", "of 9 lists failed, the first for"),
        ("docker", "there is no socket"),
        ("terraform", "not JSON: half written"),
    ],
)
def test_one_that_is_refused_costs_nothing_of_the_others(several: Ran, provider: str, said: str):
    assert several.done.code == CLEAN
    assert several.keys(provider)
    told = [gap for gap in several.gaps(provider) if said in f"{gap['detail']} {gap['account']}"]
    assert told
    assert all(remedy(gap_of_row(gap)) for gap in told)


# Names that do not exist


WRONG = (
    ("gcp", "--project acme-analytcs", "did you mean projects/acme-analytics?"),
    ("azure", "--subscription acme-epr", "did you mean acme-erp?"),
    ("cloudflare", "--zone acme-shp.com", "did you mean acme-shop.com?"),
    ("hetzner", "--hcloud-context defualt", "did you mean default?"),
    ("digitalocean", "--doctl-context defualt", "did you mean default?"),
    ("github", "--org acme-shp", "did you mean acme-shop?"),
    ("github", "--repo acme-shop/storefrnt", "did you mean storefront?"),
    ("docker", "--docker biuld-01", "did you mean 'build-01'?"),
    ("terraform", "--state infar", "did you mean 'infra'?"),
    ("terraform", "--state foo://x", "s3://BUCKET/KEY"),
    ("terraform", "--state s3://bucket", "names no object"),
    ("hetzner", "--project acme-analytics", "--providers leaves gcp out"),
)


@pytest.fixture(scope="module")
def mistaken(
    platforms: Platforms, tmp_path_factory: pytest.TempPathFactory, cache: Path
) -> list[Done]:
    """All at once: each is a short process of its own."""
    env = platforms.only()
    del env["DOCKER_HOST"]
    commands = []
    for provider, words, _ in WRONG:
        command = Command(tmp_path_factory.mktemp("wrong"), cache, env)
        (command.folder / "infra").mkdir()
        place = command.folder / "home/.docker/contexts/meta/b01d"
        place.mkdir(parents=True)
        host = {"docker": {"Host": "unix:///nowhere"}}
        (place / "meta.json").write_text(json.dumps({"Name": "build-01", "Endpoints": host}))
        commands.append(command.start("run", "--providers", provider, *words.split()))
    return [ended(command) for command in commands]


@pytest.mark.parametrize("case", range(len(WRONG)), ids=[words for _, words, _ in WRONG])
def test_a_name_that_does_not_exist_is_one_line_with_the_nearest(mistaken: list[Done], case: int):
    done, (_, _, said) = mistaken[case], WRONG[case]
    assert done.code == USAGE
    assert said in done.complaint


# Sockets and files


def without_rights() -> None:
    """Take from root what lets it open any file."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE


def test_each_engine_that_is_none_says_why(platforms: Platforms, runner: Runner, tmp_path: Path):
    socket = Path(platforms.variables["docker"]["DOCKER_HOST"].removeprefix("unix://"))
    plain = tmp_path / "a-file"
    plain.touch()
    stranger = platforms.servers["digitalocean"].url.replace("http", "tcp")
    hosts = (
        f"unix://{socket}",
        f"unix://{tmp_path}/none",
        f"unix://{plain}",
        stranger,
        "ssh://a@b",
    )
    mode = socket.stat().st_mode
    socket.chmod(0)
    try:
        ran = runner(
            *("run", "--providers", "docker", "--format", "json"),
            *(word for host in hosts for word in ("--docker", host)),
            preexec_fn=without_rights,
        )
    finally:
        socket.chmod(mode)
    assert ran.done.code == COVERAGE
    assert "(and 4 more, see the report)" in ran.done.complaint
    told = {i["account"]: (i["detail"], i["remedy"]) for i in ran.report["identities"]}
    for host, detail, what in (
        (hosts[0], "may not", "group docker"),
        (hosts[1], "there is no socket", "start the engine"),
        (hosts[2], "nothing listens there", "start the engine"),
        (hosts[3], "401", "DOCKER_CERT_PATH"),
        (hosts[4], "ssh -nNT -L", "DOCKER_HOST"),
    ):
        assert detail in told[host][0]
        assert what in told[host][1]


STATES = {
    "blank": ("", "the file is empty"),
    "torn": (TORN, "half written"),
    "old": ('{"version": 3, "serial": 1, "modules": []}', "version 3"),
    "list": ("[1]", "neither a state nor a plan"),
    "page": ("<html>", "not JSON"),
    "sealed": (
        '{"serial": 3, "meta": {}, "encrypted_data": "bm90", "encryption_version": "v0"}',
        "OpenTofu has encrypted this state",
    ),
}


def test_each_state_that_cannot_be_read_says_why(
    platforms: Platforms, runner: Runner, tmp_path: Path
):
    for name, (text, _) in STATES.items():
        (tmp_path / "states").mkdir(exist_ok=True)
        (tmp_path / "states" / f"{name}.tfstate").write_text(text)
    good = tmp_path / "states/good/terraform.tfstate"
    good.parent.mkdir()
    good.write_bytes(platforms.state.read_bytes())
    lock = {"ID": "6f2a", "Operation": "OperationTypeApply", "Who": "david@laptop"}
    good.with_name(".terraform.tfstate.lock.info").write_text(json.dumps(lock))
    ran = runner(
        *("run", "--providers", "terraform", "--format", "json"),
        *("--state", tmp_path / "states"),
    )
    assert ran.done.code == CLEAN
    assert any("/good/" in key for key in ran.keys("terraform"))
    for name, (_, said) in STATES.items():
        told = [gap for gap in ran.gaps("terraform") if gap["account"] == name]
        assert told, name
        assert all(said in gap["detail"] for gap in told)
        assert {remedy(gap_of_row(gap)).partition(" ")[0] for gap in told} <= {"Run", "Name"}
    empty = tmp_path / "empty"
    empty.mkdir()
    none = runner("run", "--providers", "terraform", "--state", empty)
    assert none.done.code == COVERAGE
    assert f"no state and no plan in {empty}" in none.said("terraform")


def test_a_state_behind_an_address_is_read(platforms: Platforms, runner: Runner):
    """Who locks it cannot be asked there, which is no reason to call it unread."""
    state = f"{platforms.servers['terraform'].url}/state/prod/shop"
    ran = runner("run", "--providers", "terraform", "--state", state, "--format", "json")
    assert (ran.done.code, ran.done.complaints) == (CLEAN, [])
    assert ran.keys("terraform")


# A package that is not installed


WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        for one in ("cloudflare", "azure.identity", "google.cloud.asset_v1"):
            if name == one or name.startswith(one + "."):
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, Without())
"""


def test_a_missing_package_is_one_line_and_costs_nothing_of_the_others(
    platforms: Platforms, runner: Runner, tmp_path: Path
):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    env = {**platforms.only(), "PYTHONPATH": str(tmp_path)}
    wanted = {
        "cloudflare": "cloudflare",
        "azure": "azure-identity",
        "gcp": "google-cloud-asset",
    }
    names = ",".join((*wanted, "hetzner"))
    ran = runner("run", "--providers", names, "--format", "json", env=env)
    assert ran.done.code == COVERAGE
    assert ran.keys("hetzner")
    states = runner("providers", "--json", env=env).done
    assert states.code == COVERAGE
    for provider, package in wanted.items():
        assert f"the Python package {package} is not installed" in ran.said(provider)
        assert f"Run pip install --force-reinstall {package}" in ran.said(provider)
        (identity,) = [i for i in states.json if i["provider"] == provider]
        assert package in identity["detail"]


# Permissions


@pytest.fixture(scope="module")
def granted(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> dict[str, Done]:
    command = Command(tmp_path_factory.mktemp("permissions"), cache)
    running = {name: command.start("permissions", name) for name in PROVIDERS}
    return {name: ended(process) for name, process in running.items()}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_least_privilege_covers_what_the_tables_and_the_gaps_name(
    granted: dict[str, Done], torn: Ran, whole: Ran, provider: str
):
    done = granted[provider]
    assert (done.code, done.err) == (CLEAN, "")
    assert done.json
    listed = done.out.lower()
    kinds = load(provider)(Selection(observed=now())).kinds.values()
    named = {name for kind in kinds for name in kind.permissions.values()}
    named |= {
        gap["permission"]
        for ran in (torn, whole)
        for gap in ran.gaps(provider)
        if gap["reason"] == "denied" and not gap["permission"].endswith(".")
    }
    asked_for = {"", 'list secrets in the cluster (apiGroup "")'}  # only with --k8s-secrets
    for name in named - asked_for:  # of a description, the words that count
        words = re.findall(r"[\w.]{5,}", name.partition(" in the cluster")[0].lower())
        assert all(word in listed for word in words), name


# Stopping


def test_ctrl_c_keeps_what_was_read_and_resume_reads_the_rest(
    platforms: Platforms, runner: Runner, tmp_path: Path, cache: Path, whole: Ran
):
    names = ("hetzner", "digitalocean", "docker")
    words = ("run", "--providers", ",".join(names), "--format", "json")
    command = Command(tmp_path, cache, platforms.only(*names))
    held = threading.Event()

    def hang(request: Request) -> None:
        if request.path.endswith(("/volumes", "/firewalls")):
            held.wait(30)

    with (
        platforms.failing({"hetzner": hang, "digitalocean": hang}),
        command.start(*words, "--json-logs") as process,
    ):
        assert process.stderr is not None
        through = (line for line in process.stderr if '"partition"' in line)
        for _ in range(25):
            next(through)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        done = ended(process)
        took = time.monotonic() - sent
        held.set()
    assert done.code == INTERRUPTED
    assert took < 8  # a second on a machine that has nothing else to do
    first = Ran(done, command, took)
    assert all(first.keys(name) for name in names)
    assert "interrupted" in {gap["reason"] for gap in first.gaps("hetzner")}
    platforms.forget()
    second = Ran(command(*words, "--resume"), command, 0)
    assert second.done.code == CLEAN
    assert "/v1/volumes" in platforms.asked("hetzner")
    assert "/v1/networks" not in platforms.asked("hetzner")
    for name in names:
        assert {re.sub(r"/default/", "/", key) for key in second.keys(name)} == {
            re.sub(r"/default/", "/", key) for key in whole.keys(name)
        }


# Agents


def test_agents_meet_the_same_door(platforms: Platforms, tmp_path: Path, cache: Path):
    command = Command(tmp_path, cache, platforms.only("github", "hetzner"))
    state = str(platforms.state)
    asks: tuple[tuple[dict[str, Any], str], ...] = (
        ({"providers": ["hetznr"]}, "did you mean hetzner?"),
        ({"scopes": {"gihub": ["acme-shop"]}}, "did you mean github?"),
        ({"scopes": {"github": ["acme-shp"]}}, "did you mean acme-shop?"),
        ({"providers": ["hetzner"], "scopes": {"github": ["acme-shop"]}}, "leaves github out"),
        ({"scopes": {"aws": ["prod"]}}, "aws takes profiles and regions"),
    )

    async def talk() -> None:
        server = StdioServerParameters(
            command=sys.executable, args=["-m", "infrascan", "mcp"], env=command.variables()
        )
        with trio.fail_after(60):
            async with Client(server) as client:
                version = await client.call_tool("infrascan_version", {})
                told = set(version.structured_content["providers"])
                assert told == set(PROVIDERS) - {"k8s"} | {"kubernetes"}
                for arguments, said in asks:
                    answer = await client.call_tool("deep_research", arguments)
                    assert answer.is_error
                    assert said in answer.content[0].text
                question = {
                    "question": "what is idle at hetzner?",
                    "scopes": {"terraform": [state]},
                }
                found = (await client.call_tool("deep_research", question)).structured_content
                assert found["providers"] == ["hetzner", "terraform"]
                assert found["resources"] > 60
                assert all(gap["remedy"].endswith(".") for gap in found["gaps"])

    trio.run(talk)
