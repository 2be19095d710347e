"""A rule that a model drafts is taken only when it proves itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from infrascan.evaluate import lint, load, prove
from infrascan.evaluate.mutate import survivors
from infrascan.model import InputError
from infrascan.pipeline import all_kinds
from infrascan.reason.model.client import open_model
from infrascan.reason.model.draft import Draft, described, drafted, fitting
from tests.servers.models import Asked, ModelServer

KINDS = all_kinds()
GOOD = """\
id: aws.sqs.queue-of-the-old-team
title: Queue still belongs to the team that left
category: reliability
severity: low
resource: aws.sqs.queue
flag_when:
  tags.team: legacy
  monthly_cost|below: 30
why: >
  Nobody answers for a queue whose team is gone: its messages pile up until a person happens to look,
  and then nobody knows what they meant.
fix:
  text: Give the queue the tag of the team that reads it now.
references: [https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html]
examples:
  - flag: the old team, and cheap
    given: {tags: {team: legacy}, monthly_cost: 10}
  - pass: another team
    given: {tags: {team: orders}, monthly_cost: 10}
  - pass: a dear queue
    given: {tags: {team: legacy}, monthly_cost: 60}
  - unknown: the tags could not be read
    given: {monthly_cost: 10}
    unread: [tags]
"""


def wrong(change: Callable[[str], str]) -> str:
    made = change(GOOD)
    assert made != GOOD
    return made


WRONG = {
    "a field there is not": wrong(lambda t: t.replace("monthly_cost", "monthly_costs")),
    "an operator there is not": wrong(lambda t: t.replace("below", "smaller")),
    "an example that comes out differently": wrong(lambda t: t.replace("monthly_cost: 60", "monthly_cost: 20")),
    "a part that no example needs": wrong(
        lambda t: t.replace("  - pass: a dear queue\n    given: {tags: {team: legacy}, monthly_cost: 60}\n", "")
    ),
    "no example that passes": wrong(lambda t: t.replace("  - pass: another team\n    given: {tags: {team: orders}, monthly_cost: 10}\n", "").replace("  - pass: a dear queue\n    given: {tags: {team: legacy}, monthly_cost: 60}\n", "")),
    "a command": wrong(lambda t: t.replace("reads it now.\n", "reads it now.\n  command: aws sqs delete-queue --queue-url {id}\n")),
    "no reason": wrong(lambda t: t.replace("Nobody answers for a queue whose team is gone: its messages pile up until a person happens to look,\n  and then nobody knows what they meant.", "It is bad.")),
    "a rule that ships": wrong(lambda t: t.replace("aws.sqs.queue-of-the-old-team", "aws.sqs.taken")),
    "a path out of the folder": wrong(lambda t: t.replace("aws.sqs.queue-of-the-old-team", "../../etc/cron.d/x")),
    "an object of Python": wrong(lambda t: t.replace("severity: low", "severity: !!python/object/apply:os.system [id]")),
    "no rule at all": "I would rather not.",
}  # fmt: skip


def draft(
    mind: Callable[[Asked], Any], wish: str = "queues of the legacy team"
) -> tuple[Draft, list[str], ModelServer]:
    said: list[str] = []
    with ModelServer(mind) as server:

        async def ask() -> Draft:
            async with open_model(
                "openai/gpt-5.4", environment=server.environment("openai")
            ) as model:
                return await drafted(
                    wish, model, KINDS, frozenset({"aws.sqs.taken"}), "aws.sqs.queue", said.append
                )

        return trio.run(ask), said, server


def test_a_good_draft_is_taken_at_once(tmp_path: Path):
    made, said, server = draft(lambda asked: {"yaml": f"```yaml\n{GOOD}```"})

    assert made == Draft("aws.sqs.queue-of-the-old-team", GOOD, ())
    assert said == []
    assert len(server.asked) == 1
    path = tmp_path / "aws" / "sqs" / "queue-of-the-old-team.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(made.text)
    (rule,) = load([tmp_path], KINDS)
    assert [*lint(rule, KINDS), *prove(rule, KINDS), *survivors(rule, KINDS)] == []


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_wrong_draft_is_sent_back_with_what_is_wrong_and_never_taken(text: str):
    def mind(asked: Asked) -> Any:
        return {"yaml": GOOD if "was refused" in asked.prompt else text}

    made, said, server = draft(mind)
    assert made.faults == ()
    assert len(said) == 1
    assert said[0].removeprefix("draft 1 was refused: ") in server.asked[1].prompt
    assert "/tmp" not in server.asked[1].prompt

    stubborn, said, server = draft(lambda asked: {"yaml": text})
    assert stubborn.faults
    assert len(server.asked) == len(said) == 3


def test_the_prompt_names_the_fields_and_reads_of_the_kind():
    _, _, server = draft(lambda asked: {"yaml": GOOD})

    assert "aws.sqs.queue" in server.asked[0].system
    assert "monthly_cost" in server.asked[0].system
    assert "at_most" in server.asked[0].system
    assert described(KINDS["aws.sqs.queue"]) in server.asked[0].system


def test_the_kind_is_guessed_from_the_words_or_asked_for():
    assert "aws.sqs.queue" in {kind.name for kind in fitting("SQS queues nobody reads", KINDS)}
    assert "k8s.pod" in {kind.name for kind in fitting("pods that restart", KINDS)}
    with pytest.raises(InputError, match="--resource KIND"):
        fitting("xyzzy", KINDS)
