"""What a report must carry so that each finding can be proved again from the report alone.

Facts have an id, a hash and a label of trust; the bundle keeps, of each resource behind a finding,
what the rules that flagged it read. Nothing here knows a rule: a scan says of each rule what it
reads, so that a stored scan proves itself when its rules have gone.
"""

from infrascan.proof.bundle import Kept, bundle, chain, chosen, rebuilt
from infrascan.proof.facts import canonical, digest, fact_id, finite
from infrascan.proof.ledger import Ledger, entries, ledger
from infrascan.proof.places import stands
from infrascan.proof.trust import trusted

__all__ = [
    "Kept",
    "Ledger",
    "bundle",
    "canonical",
    "chain",
    "chosen",
    "digest",
    "entries",
    "fact_id",
    "finite",
    "ledger",
    "rebuilt",
    "stands",
    "trusted",
]
