"""Text that anyone may have written, made harmless to show and to send: cleaned and cut."""

from __future__ import annotations

import re
import unicodedata

from infrascan import redact

CAP = 400  # characters of one text
# Characters that are not seen but read: controls, joiners, direction marks, tags, fillers.
UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def seen(text: str) -> str:
    """The text without what a reader would not see."""
    return UNSEEN.sub("", unicodedata.normalize("NFC", UNSEEN.sub("", text)))


def cut(text: str, cap: int = CAP) -> str:
    """The text in one line, no longer than `cap`; a cut is shown with how much is missing."""
    line = " ".join(seen(text).split())
    return line if len(line) <= cap else f"{line[:cap]}… ({len(line) - cap} more characters)"


def outward(text: str) -> str:
    """What goes to a model: without secrets and without unseen characters, lines kept."""
    return redact.text(seen(text))
