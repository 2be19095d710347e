"""Reading a question without a model: what it is about, and which findings answer it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from infrascan.model import Category, Finding

# Words that name a provider or a category beyond doubt. Only these narrow a scan; every other
# word ranks its findings.
PROVIDER_WORDS: dict[str, frozenset[str]] = {
    "aws": frozenset({"aws", "amazon", "ec2", "s3", "rds", "iam", "lambda", "dynamodb", "cloudfront", "ebs"}),
    "k8s": frozenset({"k8s", "kubernetes", "kubectl", "pod", "namespace", "deployment", "ingress", "helm"}),
    "gcp": frozenset({"gcp", "google", "gcloud", "gke", "bigquery"}),
    "azure": frozenset({"azure", "aks", "entra"}),
    "cloudflare": frozenset({"cloudflare"}),
    "hetzner": frozenset({"hetzner", "hcloud"}),
    "digitalocean": frozenset({"digitalocean", "doctl", "droplet", "doks"}),
    "github": frozenset({"github"}),
    "docker": frozenset({"docker", "dockerd"}),
    "terraform": frozenset({"terraform", "opentofu", "tofu", "tfstate"}),
}  # fmt: skip
CATEGORY_WORDS: dict[Category, frozenset[str]] = {
    Category.COST: frozenset({"cost", "spend", "spending", "waste", "wasted", "wasting", "idle", "saving", "save", "money", "bill", "expensive", "unused", "dollar", "finops", "overspend"}),
    Category.SECURITY: frozenset({"security", "secure", "exposed", "exposure", "public", "vulnerable", "attack", "attacker", "breach", "leak", "encryption", "encrypted", "unencrypted", "privilege"}),
    Category.RELIABILITY: frozenset({"reliability", "reliable", "outage", "resilience", "resilient", "failover", "availability", "redundancy", "downtime", "crash", "crashing", "backup"}),
}  # fmt: skip
STOP = frozenset(
    {"a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "have", "how", "i", "in", "is", "it", "me", "my", "of", "on", "or", "our", "should"}
    | {"show", "tell", "that", "the", "their", "there", "these", "this", "to", "we", "what", "when", "where", "which", "who", "why", "with", "you", "your"}
    | {"all", "find", "list", "give", "please", "check", "most"}
)  # fmt: skip


def words(text: str) -> list[str]:
    """Lower-case words without plural endings: "Public buckets" gives ["public", "bucket"]."""
    found = re.findall(r"[a-z0-9]+", text.lower())
    return [stem(word) for word in found if word not in STOP]


def stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ws")):
        return word[:-1]
    return word


def providers_meant(question: str) -> tuple[str, ...]:
    """The providers that a question names; empty when it names none."""
    asked = set(words(question))
    return tuple(name for name, named in PROVIDER_WORDS.items() if asked & named)


def categories_meant(question: str) -> tuple[Category, ...]:
    """The categories that a question is about; empty when it does not say."""
    asked = set(words(question))
    return tuple(category for category, named in CATEGORY_WORDS.items() if asked & named)


def relevant(findings: Sequence[Finding], question: str) -> list[Finding]:
    """The findings, those that share the question's rarer words first; else in the order given.

    A word counts by how few findings have it (inverse document frequency); ties keep the order
    of severity and saving that findings come in.
    """
    asked = set(words(question))
    if not asked:
        return list(findings)
    documents = [frozenset(words(text_of(finding))) for finding in findings]
    frequency = Counter(word for document in documents for word in document & asked)
    weight = {word: math.log(1 + len(findings) / count) for word, count in frequency.items()}
    scores = [sum(weight[word] for word in document & asked) for document in documents]
    order = sorted(range(len(findings)), key=lambda i: -round(scores[i], 6))
    return [findings[i] for i in order]


def text_of(finding: Finding) -> str:
    return " ".join(
        (
            finding.title,
            finding.rule,
            finding.name,
            finding.category,
            finding.region,
            finding.account,
        )
    )
