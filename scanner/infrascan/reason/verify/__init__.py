"""A JSON report checked against itself, offline: is each line as it was written, does each finding
follow from the bundle by its rule, does each path's edge and each claim's fact hold?

What it proves: nothing in the report was changed after it was written, and nobody who changed both
lines and hashes got a finding past its rule. It cannot prove that the estate was so: for that,
compare `root` with the one noted when the report was made.
"""

from infrascan.reason.verify.checking import verify
from infrascan.reason.verify.outcome import Checked, State, Verification

__all__ = ["Checked", "State", "Verification", "verify"]
