"""Strings from outside, made inert for one output each.

Names, tags, values and error texts come from accounts that anyone may write to. A format takes a
string through the function named after it, or does not print it. The original stays in the JSON
report, where escapes keep it whole.
"""

from __future__ import annotations

import html as stdlib_html
import re
from urllib.parse import urlsplit

# Characters that steer a terminal, reorder a line or take no room. Every Cc, Cf, Cs, Zl and Zp of
# Unicode is here, with the letters and marks that have no shape of their own. The odd spaces are
# not: `visible` turns them into the plain one.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001345f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

MARKUP = re.compile(r"[\\`*_\[\]<>!|~&$#]")
OPENING = re.compile(r"(?:[-+=]|\d+[.)])(?=[\s\-=]|$)")  # lists, rules and underlines start so
REFERENCE = re.compile(r"[@#]|://|www\.")  # in a word that a forge may turn into a link
FORMULA = re.compile("[ ']*[=+\\-@\uff1d\uff0b\uff0d\uff20\u2212]")
WEB = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x20\x7f]+")


def visible(text: str) -> str:
    """One line that looks like what it holds: unseen characters become escapes like `\\u202e`."""
    if text.isascii() and text.isprintable():
        return text
    return SPACES.sub(" ", UNSEEN.sub(escape, text))


def escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in NAMED:
        return NAMED[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def prose(text: str) -> str:
    """Text of a rule as one line: its line breaks are layout, not content."""
    return visible(" ".join(text.split()))


def short(text: str, limit: int) -> str:
    """The text, or its two ends around an ellipsis: names often differ at the end."""
    if len(text) <= limit:
        return text
    tail = max(1, limit // 3)
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"


def html(text: str) -> str:
    """Text for HTML, in an element or in a quoted attribute."""
    return stdlib_html.escape(visible(text), quote=True)


def xml(text: str) -> str:
    """Text for XML, in an element or in a quoted attribute."""
    return html(text)


def code(text: str) -> str:
    """A Markdown code span, safe in a table cell.

    Forges leave code alone: no mention notifies anyone, no reference links anywhere. What would
    end the span or the cell is written as character references in a `<code>` element instead.
    """
    shown = visible(text)
    if not shown.strip():
        return "<code>&#32;</code>"
    if not set(shown) & {"`", "|", "\\"} and shown == shown.strip():
        return f"`{shown}`"
    inside = "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in shown)
    return f"<code>{inside}</code>"


def markdown(text: str) -> str:
    """Prose for Markdown, safe in a table cell: markup is escaped, references become code."""
    text = prose(text)
    if REFERENCE.search(text):
        words = text.split(" ")
        text = " ".join(code(word) if REFERENCE.search(word) else escaped(word) for word in words)
    else:
        text = escaped(text)
    if opening := OPENING.match(text):
        last = opening.end() - 1
        return f"{text[:last]}\\{text[last:]}"
    return text


def escaped(text: str) -> str:
    return MARKUP.sub(r"\\\g<0>", text)


def cell(text: str) -> str:
    """A CSV field that no spreadsheet takes for a formula."""
    shown = visible(text)
    return f"'{shown}" if FORMULA.match(shown) else shown


def link(url: str) -> str:
    """The address when it is a plain http(s) one, else "": nothing else becomes a link."""
    if not WEB.fullmatch(url) or not url.isascii():
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    return url if parts.hostname and "@" not in parts.netloc and port != 0 else ""


def fence(text: str, language: str = "") -> str:
    """A fenced Markdown code block of one line."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{shown}\n{ticks}"
