"""hcloud, Hetzner Cloud's CLI: a noun, then a verb."""

from __future__ import annotations

from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, destroy, read, refuse, write

FILES = "it reads or writes files of this machine"
PRINTS = "it prints or stores credentials"
STAYS = "it opens a way in, and needs somebody at the keyboard"
REFUSED = {
    "config": FILES,
    "endpoint": "it sends the request, or the credentials, somewhere else",
    "debug": "what it logs holds credentials",
    "debug-file": FILES,
    "http-client-*": "it sends the request, or the credentials, somewhere else",
    "user-data-from-file": FILES,
    "rules-file": FILES,
    "cert-file": FILES,
    "key-file": FILES,
    "public-key-from-file": FILES,
    "zonefile": FILES,
    "records-file": FILES,
    "poll-interval": "it is not needed",
}
LIST = "output/o= selector/l= sort/s= name/n= status= type/t= architecture/a="
NOUNS = (
    *(
        "server",
        "volume",
        "network",
        "firewall",
        "load-balancer",
        "floating-ip",
        "primary-ip",
        "image",
    ),
    *("ssh-key", "certificate", "placement-group", "zone", "storage-box"),
)
FIXED = ("server-type", "location", "datacenter", "iso", "load-balancer-type", "storage-box-type")
DESTROYS = (
    *(
        "delete",
        "reset",
        "reboot",
        "poweroff",
        "shutdown",
        "rebuild",
        "disable-backup",
        "detach",
        "detach-iso",
    ),
    *(
        "unassign",
        "disable-protection",
        "remove-from-placement-group",
        "detach-from-network",
        "remove-subnet",
    ),
    *(
        "remove-route",
        "remove-from-resource",
        "delete-rule",
        "remove-target",
        "delete-service",
        "remove-label",
    ),
    *(
        "disable-rescue",
        "change-type",
        "disable-public-interface",
        "delete-snapshot",
        "rollback-snapshot",
    ),
)
WRITES = (
    *(
        "create",
        "update",
        "add-label",
        "enable-protection",
        "attach",
        "assign",
        "resize",
        "poweron",
    ),
    *("create-image", "enable-backup", "attach-to-network", "attach-iso", "set-rdns", "add-subnet"),
    *("add-route", "apply-to-resource", "add-rule", "add-target", "add-service", "update-service"),
    *(
        "add-to-placement-group",
        "change-algorithm",
        "change-ip-range",
        "change-alias-ips",
        "add-records",
    ),
)
ARGUMENTS = {
    "attach": "server= automount",
    "detach": "",
    "add-target": "server= ip= label-selector= use-private-ip",
    "remove-target": "server= ip= label-selector=",
    "apply-to-resource": "type= server= label-selector=",
    "remove-from-resource": "type= server= label-selector=",
    "attach-to-network": "network/n= ip= alias-ips=",
    "detach-from-network": "network/n=",
    "add-rule": "direction= protocol= port= source-ips= destination-ips= description=",
    "delete-rule": "direction= protocol= port= source-ips= destination-ips= description=",
    "resize": "size=",
    "rebuild": "image=",
    "change-type": "keep-disk",
    "create-image": "type= description= label=",
    "assign": "server= assignee-id=",
    "set-rdns": "hostname/r= ip/i= reset",
    "add-subnet": "type= network-zone= ip-range= vswitch-id=",
    "remove-subnet": "ip-range=",
    "add-label": "overwrite/o",
    "remove-label": "all/a",
}
CREATE = (
    "name= type= image= location= datacenter= ssh-key= network= volume= firewall= label= size= format="
    " server= automount placement-group= without-ipv4 without-ipv6 start-after-create enable-backup"
    " home-location= description= ip-range= algorithm-type= domain= output/o="
)

VERBS = (
    *(read(f"{noun} {verb}", LIST) for noun in (*NOUNS, *FIXED) for verb in ("list", "describe")),
    *(read(words, LIST) for words in ("server ip", "server metrics", "load-balancer metrics", "all list", "version")),
    *(
        write(f"{noun} {verb}", CREATE if verb in {"create", "update"} else ARGUMENTS.get(verb, ""))
        for noun in NOUNS
        for verb in WRITES
    ),
    *(destroy(f"{noun} {verb}", ARGUMENTS.get(verb, "")) for noun in NOUNS for verb in DESTROYS),
    read("context list"),
    read("context active"),
    *(refuse(words, PRINTS) for words in ("server reset-password", "server request-console", "server enable-rescue", "context create", "context use", "context delete", "context unset", "config", "storage-box reset-password")),
    *(refuse(words, STAYS) for words in ("server ssh", "completion")),
)  # fmt: skip


def review(parsed: Parsed) -> Parsed:
    why = parsed.refused
    for value in parsed.flags.get("output", ()):
        kind = value.partition("=")[0]
        if kind not in {"json", "yaml", "noheader", "columns"}:
            why = why or f"-o {kind[:40]} is refused: json, yaml, columns and noheader are accepted"
    effect = parsed.effect
    if effect is Effect.WRITE and "reset" in parsed.flags:
        effect = Effect.DESTRUCTIVE
    return replace(parsed, refused=why, effect=effect)


TOOL = Tool(
    name="hcloud",
    provider="hetzner",
    common="context= quiet",
    target={"context": "context"},
    refused=REFUSED,
    verbs=VERBS,
    review=review,
)
