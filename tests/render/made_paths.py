"""Paths, cuts and issues for made scans, plain or with one string wherever one comes from outside."""

from __future__ import annotations

from dataclasses import replace

from infrascan.model import Category, Cut, Evidence, Fix, Issue, Path, Scan, Severity, Step


def connect(scan: Scan) -> None:
    """Two paths over the first resources, the change that ends both, and what compounds."""
    if len(scan.resources) < 4:
        return
    first, second, third, fourth = scan.resources[:4]
    fix = Fix(
        resource=second.key,
        text="Give it a role of its own.",
        command="aws iam list-roles",
        rule=scan.findings[1].rule,
    )
    start = Step(
        source="internet",
        target=first.key,
        relation="open-door",
        stage="reach",
        says=f"anyone reaches “{first.name}”",
        evidence=(
            Evidence(resource=first.key, path="tags.team", value=first.data["tags"]["team"]),
        ),
    )
    middle = Step(
        source=first.key,
        target=second.key,
        relation="role",
        stage="identity",
        says=f"whoever runs code there has the role “{second.name}”",
        evidence=(Evidence(resource=first.key, path="id", value=first.id),),
        fix=fix,
    )
    ends = [
        Step(
            source=second.key,
            target=end.key,
            relation="reads",
            stage="data",
            says=f"may read “{end.name}”: its objects",
            evidence=(Evidence(resource=end.key, path="id", value=end.id),),
        )
        for end in (third, fourth)
    ]
    sure, unsure = (
        Path(
            title=f"From the internet through “{first.name}” to “{end.target.rpartition('/')[2]}”",
            severity=severity,
            steps=(start, middle, end),
            findings=(scan.findings[0].id, scan.findings[1].id),
            blast=(third.key, fourth.key),
            unsure=doubt,
        )
        for end, severity, doubt in (
            (ends[0], Severity.CRITICAL, ""),
            (ends[1], Severity.HIGH, "s3.GetBucketPolicy was not read (denied)"),
        )
    )
    scan.paths = [sure, unsure]
    scan.cuts = [Cut(fixes=(fix,), paths=(sure.id, unsure.id), exact=False)]
    scan.issues = [
        Issue(
            title=f"“{third.name}” is open to strangers, and nothing to restore it from",
            category=Category.SECURITY,
            severity=Severity.CRITICAL,
            resource=third.key,
            why="Whoever gets in can delete it for good.",
            findings=(scan.findings[2].id, scan.findings[3].id),
            paths=(sure.id,),
        )
    ]
    scan.path_notes = ["where aws.ec2.instance leads by role was not read everywhere"]


def stain(scan: Scan, text: str) -> None:
    """Put the text wherever a path, cut or issue holds a string of the estate."""
    fixes = {
        fix.id: replace(fix, text=text, command=text) for cut in scan.cuts for fix in cut.fixes
    }

    def stained(step: Step) -> Step:
        return replace(
            step,
            says=text,
            evidence=tuple(replace(e, path=text, value=text) for e in step.evidence),
            fix=fixes[step.fix.id] if step.fix else None,
        )

    scan.paths = [
        replace(
            path,
            title=text,
            steps=tuple(map(stained, path.steps)),
            blast=(text,),
            unsure=path.unsure and text,
        )
        for path in scan.paths
    ]
    scan.cuts = [
        replace(
            cut,
            fixes=tuple(fixes[fix.id] for fix in cut.fixes),
            paths=tuple(path.id for path in scan.paths),
        )
        for cut in scan.cuts
    ]
    scan.issues = [replace(issue, title=text, why=text) for issue in scan.issues]
    scan.path_notes = [text for _ in scan.path_notes]
