"""What the grammar says of commands: reads are reads, all else is not, and secrets are never read."""

from __future__ import annotations

import pytest

from infrascan.commands.grammar import TOOLS, parse
from infrascan.commands.nouns import Effect
from tests.commands.corpus import MUTATING, READS, SECRETS, vectors


def test_the_corpora_are_as_large_as_promised():
    assert len(vectors(MUTATING)) >= 200
    assert len(vectors(READS)) >= 150
    assert set(TOOLS) == {vector[0] for vector in vectors(READS)}
    assert set(TOOLS) <= {vector[0] for vector in vectors(MUTATING)}


@pytest.mark.parametrize("vector", vectors(MUTATING), ids=" ".join)
def test_what_changes_something_is_never_a_read(vector):
    assert parse(vector).effect in {Effect.WRITE, Effect.DESTRUCTIVE}


@pytest.mark.parametrize("vector", vectors(READS), ids=" ".join)
def test_reads_are_reads_and_accepted(vector):
    parsed = parse(vector)

    assert ("", Effect.READ) == (parsed.refused, parsed.effect)


@pytest.mark.parametrize("vector", vectors(SECRETS), ids=" ".join)
def test_secrets_are_refused(vector):
    assert parse(vector).refused


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("kubectl delete pod web", "destructive"),
        ("kubectl drain n1", "destructive"),
        ("kubectl scale deploy/web --replicas=3", "write"),
        ("kubectl exec web -- ls", "destructive"),
        ("helm uninstall web", "destructive"),
        ("terraform destroy -auto-approve", "destructive"),
        ("terraform apply -destroy -auto-approve", "destructive"),
        ("aws ec2 terminate-instances --instance-ids i-1", "destructive"),
        ("aws ec2 create-tags --resources i-1", "write"),
        ("gcloud compute instances delete list", "destructive"),
        ("az group delete -n list", "destructive"),
        ("docker rm web", "destructive"),
        ("gh repo delete acme/web", "destructive"),
        ("gh api -XDELETE repos/acme/web", "destructive"),
        ("doctl compute droplet delete 1", "destructive"),
        ("hcloud server delete web", "destructive"),
    ],
)
def test_what_cannot_be_taken_back_is_told_from_a_write(line, effect):
    assert effect == parse(line.split()).effect


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("kubectl get pods -n shop --context=prod", {"namespace": "shop", "context": "prod"}),
        ("kubectl -nshop delete pod x", {"namespace": "shop"}),
        ("kubectl delete pods --all -A", {"namespace": "*"}),
        ("helm list --kube-context prod", {"context": "prod"}),
        ("aws --profile=p s3 ls --region eu-west-1", {"profile": "p", "region": "eu-west-1"}),
        ("gcloud sql instances list --project shop", {"project": "shop"}),
        ("az vm show -g rg -n x", {"resource_group": "rg"}),
        ("gh pr list -Racme/web", {"repo": "acme/web"}),
        ("docker -c far ps", {"context": "far"}),
        ("doctl apps list --context x", {"context": "x"}),
    ],
)
def test_the_target_is_what_the_flags_name(line, target):
    assert target == parse(line.split()).target


@pytest.mark.parametrize("word", [";", "|", "&&", "$(id)", "`id`", "a\nb", "> x", "*", "~", "'"])
def test_a_shells_signs_are_words_like_others(word):
    vector = ["kubectl", "scale", "deployment", word, "--replicas=1"]

    assert (word in parse(vector).operands, tuple(vector)) == (True, parse(vector).vector)


@pytest.mark.parametrize(
    "vector",
    [
        [],
        [""],
        ["kubectl get pods"],
        ["kubectl;id"],
        ["/usr/bin/kubectl", "get", "pods"],
        ["./infrascan"],
        ["infrascan", "approvals", "approve", "1"],
        ["kubectl", "get", "pods\x00"],
        ["kubectl", "get", "po\x1b[2Jds"],
        ["kubectl", "get", "\u202epods"],
        ["kubectl", "get", "po\u200bds"],
        ["kubectl", "get", "\ud800"],
        ["kubectl", *["x"] * 500],
        ["kubectl", "get", "x" * 10_000],
        ["KUBECTL", "get", "pods"],
    ],
)
def test_what_is_no_command_of_a_known_tool_is_refused(vector):
    assert parse(vector).refused
    assert Effect.WRITE == parse(vector).effect


def test_the_context_is_not_for_the_command_to_choose_where_it_is_given():
    for line in (
        "kubectl get pods --context=x",
        "kubectl --context x get pods",
        "helm list --kube-context=x",
        "helm --kube-context x list",
    ):
        assert not parse(line.split()).refused
        assert "beside the command" in parse(line.split(), pinned=True).refused


@pytest.mark.parametrize(
    "line",
    [
        "create -n shop token builder",  # kubectl finds `create token` across flags it knows
        "auth -n shop reconcile",
        "config -n shop view",
        "rollout -A restart deployment/web",
        "-A get pods",  # kubectl takes `get` for the value of a flag it does not know yet
        "-o yaml get pods",
        "get pods -n",
        "get pods -n --token=x",
        "logs web -f",
        "logs web -p=x",
        "get pods -w",
        "get pods -- --token=x",
        "get -f http://evil/x.yaml",
        "exec web ls",
        "exec -it web -- sh",
    ],
)
def test_what_kubectl_itself_reads_in_another_way_is_refused(line):
    assert parse(["kubectl", *line.split()]).refused
