"""Docker. A container with the host's folders, devices or namespaces is the host itself, so such
flags are not in the grammar.
"""

from __future__ import annotations

from dataclasses import replace

from infrascan.commands.nouns import Parsed
from infrascan.commands.syntax import Tool, destroy, read, refuse, write

REDIRECTS = "it sends the request, or the credentials, somewhere else"
FILES = "it reads or writes files of this machine"
STAYS = "it keeps a connection open, and needs somebody at the keyboard"
HOST = "it gives a container the host"
PRINTS = "it prints or stores credentials"
REFUSED = {
    "host": REDIRECTS,
    "H": REDIRECTS,
    "config": FILES,
    "tls*": REDIRECTS,
    "debug": "what it logs holds credentials",
    "D": "what it logs holds credentials",
    "log-level": "what it logs holds credentials",
    "l": "what it logs holds credentials",
    "volume": HOST,
    "v": HOST,
    "mount": HOST,
    "privileged": HOST,
    "pid": HOST,
    "ipc": HOST,
    "uts": HOST,
    "userns": HOST,
    "cap-add": HOST,
    "device*": HOST,
    "security-opt": HOST,
    "cgroup*": HOST,
    "env-file": FILES,
    "label-file": FILES,
    "cidfile": FILES,
    "interactive": STAYS,
    "i": STAYS,
    "tty": STAYS,
    "t": STAYS,
    "follow": "it never ends",
    "f": "it never ends, or is a template",
    "format": "say nothing, and choose from the answer",
    "file": FILES,
    "project-directory": FILES,
    "with-registry-auth": PRINTS,
}
FEW = "filter/f= quiet/q "
LIST = FEW + "all/a no-trunc "
LOGS = "since= until= tail/n= timestamps/t details"
RUN = (
    "name= env/e= publish/p= restart= rm label/l= memory/m= cpus= network= hostname/h="
    " user/u= workdir/w= entrypoint= read-only init pull= platform= health-cmd= stop-timeout="
    " memory-reservation= cap-drop= expose= dns= tmpfs= ulimit= no-healthcheck stop-signal= quiet/q "
)

VERBS = (
    *(read(words, LIST + "last/n= latest/l size/s") for words in ("ps", "container ls", "container list", "container ps")),
    *(read(words, LIST + "digests") for words in ("images", "image ls", "image list")),
    read("inspect", "size/s type="),
    read("container inspect", "size/s"),
    *(read(f"{what} inspect") for what in ("image", "network", "volume", "node", "service", "context", "plugin")),
    *(read(words, LOGS) for words in ("logs", "container logs")),
    read("service logs", "since= tail/n= timestamps/t details no-resolve no-task-ids no-trunc raw"),
    *(read(words, "all/a no-stream no-trunc") for words in ("stats", "container stats")),
    *(read(words) for words in ("top", "container top", "port", "container port", "diff", "container diff", "version")),
    *(read(words) for words in ("info", "system info")),
    *(read(words, "human/H no-trunc quiet/q") for words in ("history", "image history")),
    read("system df", "verbose/v"),
    *(read(f"{what} ls", FEW) for what in ("volume", "service", "node", "secret", "config")),
    *(read(f"{what} ls", FEW + "no-trunc") for what in ("network", "plugin")),
    read("stack ls"),
    read("context ls", "quiet/q"),
    *(read(f"{what} ps", FEW + "no-trunc no-resolve") for what in ("service", "node", "stack")),
    read("stack services", FEW),
    *(write(f"{start}{verb}", flags) for start in ("", "container ") for verb, flags in (
        ("start", ""), ("restart", "signal/s= timeout/t="), ("pause", ""), ("unpause", ""), ("rename", ""),
        ("update", "memory/m= cpus= restart= cpu-shares/c= memory-swap= pids-limit="),
    )),
    *(destroy(f"{start}{verb}", flags) for start in ("", "container ") for verb, flags in (
        ("stop", "signal/s= timeout/t="), ("kill", "signal/s="), ("rm", "force volumes link"),
    )),
    *(write(words, RUN + "detach/d", rest=True) for words in ("run", "container run")),
    *(write(words, RUN, rest=True) for words in ("create", "container create")),
    *(destroy(words, "detach/d env/e= user/u= workdir/w=", rest=True) for words in ("exec", "container exec")),
    *(write(words, "quiet/q platform= all-tags/a") for words in ("pull", "image pull", "push", "image push")),
    *(write(words) for words in ("tag", "image tag")),
    *(destroy(words, "force no-prune") for words in ("rmi", "image rm", "image remove")),
    *(destroy(f"{what} prune", "force filter=") for what in ("container", "network")),
    *(destroy(f"{what} prune", "force all/a filter=") for what in ("image", "volume", "builder")),
    destroy("system prune", "force all/a volumes filter="),
    write("network create", "driver/d= subnet= gateway= internal attachable label= ip-range="),
    write("network connect", "alias= ip="),
    destroy("network disconnect", "force"),
    destroy("network rm", "force"),
    write("volume create", "label="),
    destroy("volume rm", "force"),
    write("service scale", "detach/d"),
    write("service update", "image= replicas= force detach/d env-add= env-rm= limit-memory= limit-cpu= rollback"),
    write("service rollback", "detach/d quiet/q"),
    write("service create", "name= replicas= publish/p= env/e= network= label/l= detach/d", rest=True),
    destroy("service rm"),
    destroy("stack rm", "detach/d"),
    write("node update", "availability= label-add= label-rm= role="),
    write("node promote"),
    destroy("node demote"),
    destroy("node rm", "force"),
    write("compose up", "detach/d no-build no-deps pull= wait remove-orphans scale= force-recreate"),
    write("compose restart", "timeout= no-deps"),
    write("compose start", ""),
    destroy("compose stop", "timeout="),
    destroy("compose down", "volumes remove-orphans timeout= rmi="),
    read("compose ps", LIST),
    read("compose logs", LOGS + " no-color no-log-prefix"),
    *(refuse(words, FILES) for words in ("cp", "container cp", "save", "image save", "load", "image load", "import", "image import", "export", "container export", "build", "image build", "buildx", "bake", "commit", "container commit", "stack deploy", "config create")),
    *(refuse(words, STAYS) for words in ("attach", "container attach", "events", "system events", "wait", "container wait")),
    *(refuse(words, PRINTS) for words in ("login", "logout", "secret create", "swarm", "trust", "config inspect", "secret inspect")),
    *(refuse(f"context {verb}", REDIRECTS) for verb in ("create", "use", "update", "import", "export", "rm")),
    *(refuse(f"plugin {verb}", "it runs programs as root") for verb in ("install", "enable", "set", "upgrade", "create", "push", "rm", "disable")),
    *(refuse(words, REDIRECTS) for words in ("search", "manifest", "scout", "model", "mcp", "ai")),
)  # fmt: skip


def review(parsed: Parsed) -> Parsed:
    why = parsed.refused
    if parsed.verb in {"stats", "container stats"} and parsed.flag("no-stream") != "true":
        why = why or "stats never ends; say --no-stream"
    for network in parsed.flags.get("network", ()):
        if network == "host" or network.startswith("container:"):
            why = why or f"--network {network[:40]} is refused: {HOST}"
    if any(value.startswith("seccomp") for value in parsed.flags.get("ulimit", ())):
        why = why or HOST
    if parsed.verb in {"run", "create", "exec"} and any(
        "=" not in value for value in parsed.flags.get("env", ())
    ):
        why = why or "--env NAME takes the value from this machine; say NAME=VALUE"
    return replace(parsed, refused=why)


TOOL = Tool(
    name="docker",
    provider="docker",
    common="context/c=",
    target={"context": "context"},
    refused=REFUSED,
    verbs=VERBS,
    stops=True,
    review=review,
)
