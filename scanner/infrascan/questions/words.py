"""Questions as words: lower case, without endings, with one word for what has several names."""

from __future__ import annotations

import re

WORD = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
MASK = re.compile(r"<[a-z]+>")
TOKEN = re.compile(rf"{MASK.pattern}|{WORD.pattern}")

# Words that say nothing about what is asked. Question words stay out of it where they decide:
# "why" and "who" are kept.
SAYING_NOTHING = (
    "a an the is are was were be been am do does did has have had of in on at for to from by with"
    " and or my our your its it this that these those there here i we you me us please can could"
    " would should will shall now right currently current today just any some all every each"
    " what which show list tell give find get see want need like know than then so as if into up"
    " out about over across whole entire much many how me really actually exactly"
)
STOP = frozenset(SAYING_NOTHING.split())

# What people call one thing. Keys are words after `stem`.
SAME = {
    name: word
    for word, names in {
        "kubernetes": "k8s kube kubernetes",
        "database": "db database rds postgres mysql postgresql mariadb aurora sql",
        "memory": "mem memory ram oom",
        "cpu": "cpu processor compute-load",
        "bucket": "bucket blob",
        "machine": "machine instance vm server box host droplet virtual",
        "fail": "fail failing failed failure broken bad breaking error errored unhealthy down faulty",
        "health": "health healthy degraded ok okay fine nominal alright sane",
        "crash": "crash crashing crashed crashloop crashloopbackoff crashlooping dying die restart-loop loop looping",
        "restart": "restart restarting restarted bounce reboot rebooted",
        "change": "change changed modify modified differ different happen happened happening altered update updated edit edited touched",
        "deploy": "deploy deployed rollout release shipped rolled ship released",
        "deployment": "deployment",
        "cost": "cost spend spending spent bill billing charge money pay paying price expensive dollar usd invoice paid",
        "saving": "saving save savings waste wasted wasting idle unused reduce cut optimise optimize cheaper overspend",
        "alarm": "alarm alert alarming firing page paging triggered ringing",
        "public": "public publicly exposed internet world anyone anybody everyone open outside worldwide reachable",
        "certificate": "certificate cert tls ssl",
        "expire": "expire expiring expiry expiration renew renewal lapse",
        "container": "container",
        "repository": "repository repo repos",
        "node": "node worker",
        "image": "image tag",
        "version": "version release-version upgrade",
        "service": "service svc app application microservice workload",
        "latency": "latency slow slowness response-time sluggish lag laggy delay",
        "log": "log logs logged stdout stderr output tail",
        "topology": "topology connected connection depend dependency dependencies upstream downstream relate related attached talk linked neighbour",
        "configuration": "configuration config configured configure settings setup set",
        "history": "history historical evolution evolved",
        "cache": "cache redis elasticache memcached valkey caching",
        "assume": "assume assumed trust trusted assumable impersonate",
        "role": "role",
        "protection": "protection protected protect unprotected",
        "terraform": "terraform tofu opentofu tfstate iac",
        "manage": "manage managed unmanaged control controlled",
        "dns": "dns record hostname domain",
        "report": "report overview summary summarise summarize",
        "infrastructure": "infrastructure infra estate environment everything cloud platform stack",
        "usage": "usage use using used utilization utilisation consume consuming consumption occupancy",
        "namespace": "namespace namespaces ns",
        "limit": "limit limits cap ceiling",
        "size": "size big large gigabyte gb bytes terabyte heaviest biggest largest",
        "load": "load busy qps query throughput hot hammered traffic",
        "pending": "pending unschedulable unscheduled stuck waiting",
        "event": "event events warning",
        "replica": "replica replicas copies",
        "helm": "helm chart charts",
        "drift": "drift drifted drifting",
        "secret": "secret secrets leaked",
        "vulnerability": "vulnerability vulnerable vulnerabilities dependabot cve cves",
    }.items()
    for name in names.split()
}


def words(text: str) -> list[str]:
    """The words that carry meaning; masks such as `<percent>` are words too."""
    found = []
    for token in TOKEN.findall(text.lower()):
        if token.startswith("<"):
            found.append(token)
        elif token not in STOP:
            found.append(plain(token))
    return found


def plain(token: str) -> str:
    """The one word for this token."""
    if token in SAME:
        return SAME[token]
    short = stem(token)
    return SAME.get(short, short)


def stem(word: str) -> str:
    """The word without a plural or verbal ending; rough, but the same for examples and questions."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ws", "ns")):
        return word[:-1]
    if len(word) > 6 and word.endswith("ing"):
        return word[:-3]
    if len(word) > 5 and word.endswith("ed"):
        return word[:-2]
    return word
