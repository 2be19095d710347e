"""The AWS CLI. Its operations are named for what they do; those that are not plainly reads are
writes, and those that answer with credentials are refused.
"""

from __future__ import annotations

import re
from dataclasses import replace

from infrascan.commands.nouns import Effect, Parsed
from infrascan.commands.syntax import Tool, destroy, read, write

REDIRECTS = "it sends the request, or the credentials, somewhere else"
FILES = "it reads or writes files of this machine"
OTHER = "it uses another identity than the profile's"
SECRET = "it prints credentials or secrets"  # noqa: S105 (a reason, not a secret)
REFUSED = {
    "endpoint-url": REDIRECTS,
    "no-verify-ssl": REDIRECTS,
    "ca-bundle": FILES,
    "no-sign-request": OTHER,
    "debug": "what it logs holds credentials",
    "cli-input-json": FILES,
    "cli-input-yaml": FILES,
    "cli-auto-prompt": "it needs somebody at the keyboard",
    "generate-cli-skeleton": "it calls nothing",
    "with-decryption": SECRET,
    "include-values": SECRET,
    "include-value": SECRET,
    "cli-error-format": "it is not needed",
    "outfile": FILES,
    "template-file": FILES,
    "zip-file": FILES,
}
# Flags of every operation that change only how the answer is shown.
SHOWN = (
    "output= query= no-paginate max-items= page-size= starting-token= color= no-cli-pager"
    " cli-read-timeout= cli-connect-timeout= no-cli-auto-prompt cli-binary-format="
)
READS = (
    "describe-",
    "list-",
    "get-",
    "head-",
    "batch-get-",
    "lookup-",
    "search-",
    "filter-log-events",
)
WHOLE = frozenset(
    {
        "ec2 wait", "ecs wait", "rds wait", "eks wait", "cloudformation wait", "lambda wait",
        "elbv2 wait", "dynamodb scan", "dynamodb query", "iam simulate-principal-policy",
        "iam simulate-custom-policy", "configservice select-resource-config",
        "cloudformation estimate-template-cost", "sts decode-authorization-message",
    }
)  # fmt: skip
# Reads by name whose answers let the reader in somewhere.
SECRETS = re.compile(
    r"""
    secretsmanager\ (get-secret-value|batch-get-secret-value|get-random-password)
    |ssm\ (get-parameters?-by-path|get-access-token)
    |sts\ (?!get-caller-identity|decode-authorization-message).*
    |sso(-oidc)?\ .*|signin\ .*|login.*|configure.*
    |ecr(-public)?\ get-(login|login-password|authorization-token)
    |codeartifact\ (get-authorization-token|login)
    |ec2\ (get-password-data|create-key-pair|get-instance-credentials|export-client-vpn.*)
    |eks\ (get-token|update-kubeconfig)|eks-auth\ .*
    |rds\ (generate-db-auth-token|download-db-log-file-portion)|dsql\ generate.*
    |redshift(-serverless)?\ get-(cluster-)?credentials.*
    |iam\ (create-access-key|create-service-specific-credential|reset-service-specific-credential|create-login-profile|create-virtual-mfa-device)
    |kms\ (decrypt|generate-.*|derive-.*|re-encrypt)
    |lightsail\ (get-instance-access-details|download-default-key-pair|create-key-pair|get-relational-database-master-user-password|create-bucket-access-key|get-bucket-access-keys|get-container-images?|create-container-service-registry-login)
    |cognito-identity\ (get-credentials.*|get-open-id.*)
    |cognito-idp\ (.*auth.*|describe-user-pool-client|describe-identity-provider|create-user-pool-client)
    |connect\ get-federation-token|gamelift\ get-(compute-auth-token|instance-access)
    |lakeformation\ .*credentials.*|emr(-containers|-serverless)?\ .*credentials.*
    |deadline\ assume.*|apigateway\ (get-api-keys?|create-api-key)|appsync\ (list-api-keys|create-api-key)
    |iot\ create-keys-and-certificate|acm\ export-certificate|acm-pca\ .*key.*|kafka\ get-bootstrap-.*secret.*
    |s3\ presign|s3control\ get-data-access|s3api\ create-session|grafana\ create-.*key.*|amplify\ .*token.*
    |quicksight\ get-.*embed-url|quicksight\ generate-.*|mq\ create-user|finspace.*\ get-.*credentials.*
    |ec2-instance-connect\ .*|ecs\ execute-command|ssm\ start-session|cloudshell\ .*
    |macie2\ get-sensitive-data-occurrences|guardduty\ get-.*credentials.*|workmail\ .*token.*
    |elasticbeanstalk\ describe-configuration-settings|ssm-quicksetup\ .*|identitystore\ .*token.*
    """,
    re.VERBOSE,
)
ADDRESSES = frozenset({"--queue-url", "--template-url"})  # whose values are never fetched
S3 = frozenset(f"s3 {verb}" for verb in ("ls", "cp", "mv", "sync", "rm", "mb", "rb"))
# Operations that write their answer to a file, which is their last operand.
ANSWERS_TO_FILE = re.compile(
    r"""
    s3api\ (get-object|get-object-torrent|select-object-content)|lambda\ invoke.*
    |glacier\ (get-job-output|upload.*)|apigateway(v2)?\ (get-export|get-sdk|export-api)
    |kinesis-video.*\ get-.*|codeartifact\ get-package-version-asset|ebs\ get-snapshot-block
    |polly\ synthesize-speech|mediastore-data\ get-object|appconfig(data)?\ get-.*configuration
    |(bedrock|sagemaker)-.*runtime\ .*|lex.*runtime.*\ .*|omics\ get-.*|workmailmessageflow\ .*
    |iot-data\ (get-thing-shadow|publish)|location\ get-map-.*|medialive\ describe-.*thumbnail.*
    |backup-search\ .*|deploy\ .*push.*|cloudformation\ (package|deploy)|datapipeline\ .*definition
    |s3\ website|eks\ .*kubeconfig|gamelift\ upload-build|ecs\ deploy|emr\ (ssh|socks|get|put)
    |opsworks\ register|ec2-instance-connect\ .*|logs\ (start-live-tail|tail)|servicecatalog\ generate
    """,
    re.VERBOSE,
)
DESTROYS = re.compile(
    r"(?:.*\ )?(?:delete|terminate|remove|purge|deregister|destroy|release|revoke|detach|disassociate"
    r"|disable|stop|cancel|reboot|reset|restore|force|batch-delete|rb|rm|deactivate|abort|withdraw"
    r"|shutdown|kill|schedule-key-deletion|leave|close|expire|unassign|drop)(?:-.*)?"
)
NAME = re.compile(r"[a-z0-9][a-z0-9\-]*")
BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.\-]*(?:/[^\s]*)?")


def review(parsed: Parsed) -> Parsed:
    words = parsed.operands
    if parsed.verb.startswith("s3 "):
        words = (*parsed.verb.split(), *(words if parsed.verb in S3 else words[2:]))
    verb = " ".join(words[:2])
    why = parsed.refused or named(words) or values(parsed)
    if verb in S3:
        why = why or buckets(parsed)
    if ANSWERS_TO_FILE.fullmatch(verb):
        why = why or f"aws {verb[:80]} is refused: {FILES}"
    if SECRETS.fullmatch(verb) or (words and SECRETS.fullmatch(words[0])):
        why = why or f"aws {verb[:80]} is refused: {SECRET}, or opens a way in"
    operation = words[1] if len(words) > 1 else ""
    effect = parsed.effect
    if verb in S3:
        pass
    elif verb in WHOLE or operation.startswith(READS):
        effect = Effect.READ
    elif DESTROYS.fullmatch(operation):
        effect = Effect.DESTRUCTIVE
    return replace(parsed, verb=verb, effect=effect, refused=why, unknown=())


def named(words: tuple[str, ...]) -> str:
    if len(words) < 2 or not all(NAME.fullmatch(word) for word in words[:2]):
        return "name a service and an operation, ahead of its flags"
    if words[1] == "help" or words[0] in {"help", "alias", "history", "cli-dev"}:
        return "it is for people"
    return ""


def values(parsed: Parsed) -> str:
    """The CLI reads files and addresses wherever a value says so, and lets values be joined."""
    before = ""
    for word in parsed.vector[1:]:
        # Within a value, too: `Key=a,Value@=file:///etc/passwd`.
        if re.search(r"(?i)fileb?://", word):
            return f"{word[:60]!r} is refused: {FILES}"
        flag, _, value = word.partition("=") if word.startswith("--") else (before, "", word)
        if re.match(r"(?i)\s*https?://", value) and flag not in ADDRESSES:
            return f"{value[:60]!r} is refused: the CLI fetches what is there"
        before = word
    return ""


def buckets(parsed: Parsed) -> str:
    """The commands of `aws s3` move files; here they move objects from bucket to bucket."""
    for word in parsed.operands:
        if not BUCKET.fullmatch(word) and (parsed.verb != "s3 ls"):
            return f"{word[:60]!r} is refused: {FILES}"
    return f"flag {parsed.unknown[0]} is not in the grammar of aws s3" if parsed.unknown else ""


MOVED = "recursive dryrun quiet exclude= include= acl= storage-class= sse= only-show-errors"
VERBS = (
    read("s3 ls", "recursive human-readable summarize request-payer="),
    *(write(f"s3 {verb}", MOVED) for verb in ("cp", "mb")),
    *(
        destroy(f"s3 {verb}", MOVED + " delete force size-only")
        for verb in ("mv", "sync", "rm", "rb")
    ),
)
TOOL = Tool(
    name="aws",
    provider="aws",
    style="argparse",
    common="profile= region= " + SHOWN,
    target={"profile": "profile", "region": "region"},
    refused=REFUSED,
    open=True,
    verbs=VERBS,
    review=review,
)
