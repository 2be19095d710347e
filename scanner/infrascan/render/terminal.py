"""The summary on a terminal: grade, coverage, findings, money, gaps, and last what to do first.

Colour and width are the console's business; `NO_COLOR` is rich's. Text from outside enters rich as
`Text`, never as markup.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from infrascan.model import SEVERITIES, Scan, Severity, State
from infrascan.render import modelled
from infrascan.render.first import Step
from infrascan.render.gaps import GapGroup, parted
from infrascan.render.grade import percent
from infrascan.render.inert import prose, short, visible
from infrascan.render.summary import Summary, counted, money, number, summarize

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

WIDTH = 100
OWNERS = 4
GAPS = 6  # groups that are shown
TITLE = 160  # characters
COMMAND = 600
STYLES = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}
GRADE_STYLES = {"A": "green", "B": "green", "C": "yellow", "D": "red", "F": "red", "?": "magenta"}


def chunks(scan: Scan) -> Iterator[str]:
    """The summary without colour, for a file."""
    from rich.console import Console

    text = io.StringIO()
    console = Console(file=text, width=WIDTH, color_system=None, force_terminal=False)
    show(scan, console)
    yield "\n".join(line.rstrip() for line in text.getvalue().split("\n"))


def show(scan: Scan, console: Console, reports: Iterable[tuple[str, str]] = ()) -> None:
    """Print the summary. `reports` are what was written: format and path."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    summary = summarize(scan)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(ratio=1)
    table.add_row("Grade", grade_text(summary))
    table.add_row("Coverage", coverage_text(scan, summary))
    table.add_row("Findings", findings_text(summary))
    table.add_row("Money", money_text(summary))
    if scan.paths:
        table.add_row("Paths", paths_text(scan))
    if summary.spend_by_owner:
        table.add_row("Owners", owners_text(summary))
    console.print()
    if scan.interrupted:
        console.print(Text("  Interrupted: this is what was read until then.", style="bold yellow"))
        console.print()
    console.print(Padding(table, (0, 2)))
    sections: list[tuple[str, RenderableType]] = []
    if summary.gaps or summary.broken:
        sections.append(("Not read, so not judged", gaps_table(summary)))
    if scan.research.model:
        sections.append(("Research by a model", modelled.text(scan.research, STYLES)))
    if summary.steps:
        sections.append(("What to do first", steps_table(summary.steps)))
    written = list(reports)
    if written:
        sections.append(("Reports", reports_table(written)))
    for title, body in sections:
        console.print()
        console.print(Padding(Text(title, style="bold underline"), (0, 2)))
        console.print(Padding(body, (0, 2)))
    console.print()


def grade_text(summary: Summary) -> Text:
    from rich.text import Text

    grade = summary.grade
    text = Text()
    text.append(grade.letter, style=f"bold {GRADE_STYLES[grade.letter]}")
    text.append("  " + " ".join(grade.because))
    text.append(f" Confidence {percent(grade.confidence)}")
    if grade.at_worst != grade.letter:
        text.append(f"; {grade.at_worst} if every unknown verdict were a finding")
    return text.append(".")


def coverage_text(scan: Scan, summary: Summary) -> Text:
    from rich.text import Text

    states = summary.states
    text = Text()
    text.append(percent(summary.coverage), style="bold yellow" if summary.gaps else "bold green")
    text.append(
        f"  of {counted(len(scan.coverage), 'partition')}: {number(states[State.READ])} read,"
    )
    text.append(f" {number(states[State.PARTIAL])} in part, {number(states[State.UNREAD])} not;")
    text.append(f" {counted(summary.resources, 'resource')}")
    if scan.unknowns:
        text.append(f"; {counted(len(scan.unknowns), 'verdict')} unknown", style="bold yellow")
    return text


def findings_text(summary: Summary) -> Text:
    from rich.text import Text

    text = Text()
    for severity in SEVERITIES:
        count = summary.severities[severity]
        if text:
            text.append("  ")
        style = STYLES[severity] if count else "dim"
        label = f"{number(count)} {severity}"
        text.append(f" {label} " if count and severity is Severity.CRITICAL else label, style=style)
    return text


def paths_text(scan: Scan) -> Text:
    """How many ways lead from the internet to data, what ends them, and the worst of them."""
    from rich.text import Text

    paths, cuts = scan.paths, scan.cuts
    changes = sum(len(cut.fixes) for cut in cuts)
    ended = sum(len(cut.paths) for cut in cuts)
    text = Text(f"{counted(len(paths), 'way')} from the internet to data", style="bold")
    if changes:
        verb = "ends" if changes == 1 else "end"
        text.append(f"; {counted(changes, 'change')} {verb} {number(ended)} of them")
    if scan.issues:
        text.append(f"; {counted(len(scan.issues), 'issue')} where findings compound")
    longest = max(paths, key=lambda path: (-path.severity.rank, len(path.steps)))
    text.append(f"\n{short(prose(longest.title), TITLE)}", style=STYLES[longest.severity])
    if scan.path_notes:
        text.append(f"\n{counted(len(scan.path_notes), 'note')} on what may be missing", "dim")
    return text


def money_text(summary: Summary) -> Text:
    from rich.text import Text

    text = Text(f"{money(summary.cost)} a month seen")
    if summary.saving:
        text.append("  ")
        text.append(f"{money(summary.saving)} could be saved", style="bold green")
    if summary.unpriced:
        text.append(f"  {counted(summary.unpriced, 'resource')} without a known price", style="dim")
    return text


def owners_text(summary: Summary) -> Text:
    from rich.text import Text

    spends = summary.spend_by_owner
    text = Text()
    for spend in spends[:OWNERS]:
        text.append("  " if text else "")
        text.append(f"{short(visible(spend.name), 40)} {money(spend.cost)}")
        if spend.saving:
            text.append(f" (-{money(spend.saving)})", style="green")
    more = len(spends) - OWNERS
    return text.append(f"  and {number(more)} more", style="dim") if more > 0 else text


def steps_table(steps: Sequence[Step]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for place, step in enumerate(steps, 1):
        text = Text()
        text.append(short(prose(step.title), TITLE), style="bold")
        if step.saving:
            text.append(f"  saves {money(step.saving)} a month", style="bold green")
        text.append(f"\n{about(step)}")
        if step.command and len(step.command) <= COMMAND:
            text.append(f"\n{visible(step.command)}", style="dim")
        else:
            text.append(f"\n{short(prose(step.does), COMMAND)}", style="dim")
        severity = Text(step.severity.upper(), style=STYLES[step.severity])
        table.add_row(str(place), severity, text)
    return table


def about(step: Step) -> str:
    """What a step is about, in a few words: what it ends, or the resources it mends."""
    if step.kind == "path":
        return f"ends {counted(len(step.paths), 'path')} from the internet to data"
    names = ", ".join(short(visible(name), 48) for name in step.names)
    more = step.findings - len(step.names)
    return names + (f" and {number(more)} more" if more > 0 else "")


def gaps_table(summary: Summary) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 1))
    table.add_column(style="bold yellow", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for identity in summary.broken:
        name = f"{identity.provider} {identity.account or identity.source}".strip()
        text = Text()
        text.append(short(visible(name), TITLE), style="bold")
        text.append(f": {short(prose(identity.detail), COMMAND)}")
        text.append(parted(identity))
        text.append(short(prose(identity.remedy), COMMAND), style="green")
        table.add_row("!", text)
    said = {(identity.provider, identity.account) for identity in summary.broken}
    groups = [g for g in summary.gaps if g.call or (g.provider, g.account) not in said]
    for group in groups[:GAPS]:
        table.add_row("!", gap_text(group))
    more = len(groups) - GAPS
    if more > 0:
        table.add_row("", Text(f"and {counted(more, 'more group')} of gaps", style="dim"))
    return table


def gap_text(group: GapGroup) -> Text:
    from rich.text import Text

    text = Text()
    text.append(short(visible(group.call or group.provider), 60), style="bold")
    text.append(f" {group.word}")
    if group.gaps > 1:
        text.append(f" × {number(group.gaps)}")
    named = [region for region in group.regions if region]
    places = ", ".join(named[:2]) + (f" and {len(named) - 2} more" if len(named) > 2 else "")
    where = visible(" ".join(filter(None, (group.account, places))))
    text.append(f" in {short(where, 70)}" if where else "", style="dim")
    if group.unknowns:
        worst = f", up to {group.worst}" if group.worst else ""
        text.append(f", leaves {counted(group.unknowns, 'verdict')} open{worst}")
    text.append(".")
    text.append(f" {short(prose(group.remedy), TITLE)}", style="green")
    return text


def reports_table(reports: Sequence[tuple[str, str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, path in reports:
        table.add_row(Text(visible(name)), Text(visible(path), style="cyan"))
    return table
