"""What a file under `rules/paths/` may say: each key with what it means."""

from __future__ import annotations

from infrascan.evaluate.keys import STRING, STRINGS, Key

STAGES = ("reach", "identity", "data")
PLACES = ("source", "target", "grant")  # what a fix changes: an end of the step, or what grants it

FIX = (
    Key("text", "what to change, naming the setting", required=True, schema=STRING),
    Key("command", "one command, with {name} and other placeholders", schema=STRING),
    Key("rules", "rules that flag the same fault: their fix is told instead", schema=STRINGS),
    Key("at", "what is changed: source, target, grant, or a kind on the way", schema=STRING),
)
GRANT = (
    Key("by", "aws or gcp: how permissions are written down", required=True, schema=STRING),
    Key("actions", "actions of which one is enough; roles for gcp", required=True, schema=STRINGS),
    Key("resource", "what must be covered: {Arn}/*", schema=STRING),
    Key("trust", "a policy of the target's that must admit it too", schema=STRING),
    Key("on", "kinds that the permission is on, where `along` goes on from there"),
)
NETWORK = (
    Key("port", "where it leads listens there: Endpoint.Port", required=True, schema=STRING),
)
ENTRY = (
    Key("id", "names the entry", required=True, schema=STRING),
    Key("kind", "what can be reached, a kind or several", required=True),
    Key("when", "the condition on it"),
    Key("rules", "rules of which one must flag it, instead of `when`", schema=STRINGS),
    Key("says", "a predicate with values: listens at {DNSName}", required=True, schema=STRING),
    Key("fix", "what closes it"),
)
STEP = (
    Key("id", "names the step", required=True, schema=STRING),
    Key("from", "a kind or several", required=True),
    Key("along", "relations to follow, one after the other: target_groups[].instances"),
    Key("through", "kinds on the way -> the condition that one of each must meet"),
    Key("grants", "or the permission that leads there"),
    Key("network", "or security groups that admit it to a port of where it leads"),
    Key("to", "a kind or several", required=True),
    Key("stage", "reach, identity or data", required=True, schema=STRING),
    Key("when", "the condition on where it starts"),
    Key("where", "the condition on where it leads"),
    Key("says", "a predicate with values of where it starts", required=True, schema=STRING),
    Key("needs", "what an attacker must still bring: a flaw in what listens", schema=STRING),
    Key("fix", "what cuts it"),
)
TARGET = (
    Key("id", "names the target", required=True, schema=STRING),
    Key("kind", "a kind or several", required=True),
    Key("when", "the condition on it"),
    Key("grants", "or the permission that makes it one"),
    Key("says", "what is lost: its objects", required=True, schema=STRING),
    Key("control", "true where all else in the account follows from it"),
)
EXAMPLE = (
    Key("of", "the id of an entry, step or target", required=True, schema=STRING),
    Key("holds", "says why the condition holds", schema=STRING),
    Key("fails", "says why it does not", schema=STRING),
    Key("unknown", "says why it cannot be told", schema=STRING),
    Key("given", "data of the one end", required=True),
    Key("end", "of a step: from (when), to (where) or a kind on the way", schema=STRING),
    Key("unread", "fields and relations that could not be read", schema=STRINGS),
)
TOP = (
    Key("entries", "where strangers can come in"),
    Key("steps", "how one gets from one resource to the next"),
    Key("targets", "what an attacker is after"),
    Key("policies", "policies of the vendor that no call gives: name -> document"),
    Key("examples", "cases that prove the conditions"),
)
