"""What operands must be: each function checks one and prepares it for its operator.

They raise ValueError with the rest of a sentence that begins with the operator's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from infrascan.evaluate.measures import Network, network, number, seconds

SCALARS = (str, int, float, bool)


def scalar(operand: Any) -> Any:
    if operand is None:
        raise ValueError("does not take null; write `|exists: false`")
    if not isinstance(operand, SCALARS):
        raise ValueError("takes a scalar")
    return operand


def scalars(operand: Any) -> tuple[Any, ...]:
    if not isinstance(operand, list) or not operand:
        raise ValueError("takes a list of scalars")
    return tuple(scalar(item) for item in operand)


def some(operand: Any) -> tuple[Any, ...]:
    return scalars(operand) if isinstance(operand, list) else (scalar(operand),)


def strings(operand: Any) -> tuple[str, ...]:
    found = some(operand)
    if not all(isinstance(item, str) and item for item in found):
        raise ValueError("takes a string or a list of strings, none of them empty")
    return found


def measure(operand: Any) -> float:
    found = number(operand)
    if found is None:
        raise ValueError("takes a number or a quantity such as 100m or 1Gi")
    return found


def networks(operand: Any) -> tuple[Network, ...]:
    found = [network(item) if isinstance(item, str) else None for item in some(operand)]
    if None in found:
        raise ValueError("takes a CIDR block such as 0.0.0.0/0, or a list of them")
    return tuple(item for item in found if item)


def duration(operand: Any) -> int:
    found = seconds(operand)
    if found is None:
        raise ValueError("takes a duration such as 90d, 12h, 30m, or -30d to look ahead")
    return found


def truth(operand: Any) -> bool:
    if not isinstance(operand, bool):
        raise ValueError("takes true or false")
    return operand


def text(operand: Any) -> str:
    if not isinstance(operand, str) or not operand:
        raise ValueError("takes another path, as a string")
    return operand


def pattern(operand: Any) -> Any:
    import re2  # only rules with patterns pay for it

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    joined = "|".join(f"(?:{item})" for item in strings(operand))
    for item in strings(operand):
        try:
            re2.compile(item, options)
        except re2.error as error:
            raise ValueError(f"cannot read the pattern '{item}': {reason(error)}") from None
    return re2.compile(joined, options)


def reason(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)


BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    "at_most": lambda n, bound: n <= bound,
    "at_least": lambda n, bound: n >= bound,
    "above": lambda n, bound: n > bound,
    "below": lambda n, bound: n < bound,
    "is": lambda n, bound: n == bound,
}


def counted(operand: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(operand, dict):
        operand = {"is": operand}
    if not operand or not all(name in BOUNDS for name in operand):
        raise ValueError("takes a number, or a mapping of at_most, at_least, above, below")
    if not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in operand.values()):
        raise ValueError("counts in whole numbers, 0 or more")
    return tuple(operand.items())
