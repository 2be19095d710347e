"""Models of others, asked through instructor: what they say counts once code has checked it."""

from infrascan.reason.model.budget import Budget
from infrascan.reason.model.client import Model, open_model
from infrascan.reason.model.failing import Failure, ModelError

__all__ = ["Budget", "Failure", "Model", "ModelError", "open_model"]
