"""Which values are configuration by a vendor's schema, and which are text that anyone may have put.

Nobody outside the estate sets a number, a truth value or a nothing, and a vendor checks a word, an
address, an ARN or a time before it stores it. All else is text: whoever may tag a resource, open
a pull request or write a log line has a say in it. Where the tables do not tell, a string is text.
The label is a first sieve: one word that looks like a vendor's own, in a field that none of the names
below tells, passes for configuration. So nothing acts on a string because it is trusted.
"""

from __future__ import annotations

import re
from typing import Any

# Names in a path below which everything was put by people, whatever it looks like.
FREE = frozenset(
    {
        # what owners write on a resource
        *("tags", "labels", "annotations", "own_tags", "taglist", "tagset", "tag", "purpose"),
        *("description", "descriptions", "comment", "comments", "note", "notes", "summary_text"),
        *("name", "names", "display_name", "displayname", "full_name", "fullname", "alias"),
        *("aliases", "title", "subject", "text", "topic", "homepage", "readme"),
        # what programs are given and say
        *("env", "environment", "variables", "args", "command", "entrypoint", "outputs"),
        *("parameters", "user_data", "userdata", "custom_data", "startup_script", "script"),
        *("inline", "workflow", "metadata_items", "log", "logs", "line", "lines", "event"),
        *("events", "message", "messages", "reason", "value", "values", "data"),
        # what strangers put: pull requests, commits, records of DNS
        *("body", "commit", "head_commit", "branch", "head_branch", "ref", "login", "email"),
        *("author", "actor", "txt", "content", "hostname", "host", "host_names"),
        *("selector", "matchlabels"),
    }
)

# Forms that a vendor checks. A string of none of them is text.
CHECKED = re.compile(
    r"""
    [A-Z][A-Za-z0-9]{0,31}                          # Enabled, PublicRead, TLSv1
    | [A-Z0-9]{1,16}(?:_[A-Z0-9]{1,16}){0,3}        # IP_ADDRESS, AES256
    | \d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?          # 10.0.0.0/8
    | [0-9a-fA-F:]{2,39}/\d{1,3}                    # ::/0
    | \d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?
    | \d{1,20}(?:\.\d{1,12})?(?:[munKMGTPE]i?)?     # 4096, 1.30, 512Mi
    | (?:tcp|udp|icmp|http|https|tls|any|all|none|true|false|yes|no|on|off|enabled|disabled)
    | (?:private|public-read|public-read-write|authenticated-read|available|in-use|active)
    | http://acs\.amazonaws\.com/groups/(?:global|s3)/[A-Za-z]+
    | (?:allUsers|allAuthenticatedUsers)
    | \*
    """,
    re.VERBOSE,
)
NAMES = re.compile(r"[A-Za-z0-9_$@\-]+")


def trusted(path: str, value: Any) -> bool:
    """Whether a value at a path is configuration, and not text that anyone may have put."""
    if value is None or isinstance(value, bool | int | float):
        return True
    if not NAMES.search(path) or not FREE.isdisjoint(map(str.lower, NAMES.findall(path))):
        return False
    if isinstance(value, str):
        return CHECKED.fullmatch(value) is not None
    if isinstance(value, dict):
        return all(
            not FREE & {str(name).lower()} and trusted(f"{path}.{name}", item)
            for name, item in value.items()
        )
    return isinstance(value, list) and all(trusted(path, item) for item in value)
