"""Models of others, asked through instructor: what they say counts once code has checked it.

    budget = Budget(max_usd=1.0, max_tokens=200_000, seconds=120)
    async with open_model("openai/gpt-5.4", home=home, budget=budget) as model:
        plan = await model.ask(Plan, [{"role": "user", "content": question}], step="plan")

The names are loaded on first use, so that a run without a model does not pay for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infrascan.reason.model.budget import Budget
    from infrascan.reason.model.choice import ModelChoice
    from infrascan.reason.model.client import Model, open_model
    from infrascan.reason.model.failing import Failure, ModelError

__all__ = ["Budget", "Failure", "Model", "ModelChoice", "ModelError", "open_model"]

HOMES = {
    "Budget": "budget",
    "Failure": "failing",
    "Model": "client",
    "ModelChoice": "choice",
    "ModelError": "failing",
    "open_model": "client",
}


def __getattr__(name: str) -> Any:
    if name not in HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
