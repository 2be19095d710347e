"""Questions in plain words, answered from the live estate: a catalogue, and a router to it."""

from __future__ import annotations

from infrascan.questions.answer import Answer
from infrascan.questions.asking import MOCK, ask
from infrascan.questions.catalogue import Catalogue, Question, load, shipped_catalogue
from infrascan.questions.history import Who, entries, workspace_id
from infrascan.questions.routing import Router, shipped_router

__all__ = [
    "MOCK",
    "Answer",
    "Catalogue",
    "Question",
    "Router",
    "Who",
    "ask",
    "entries",
    "load",
    "shipped_catalogue",
    "shipped_router",
    "workspace_id",
]
