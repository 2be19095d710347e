"""Which tool an agent picks: BM25 over the descriptions alone, with no model in between.

Names are left out on purpose. A description has to carry the choice by itself, as it does for a
model that sees forty tools of five servers with names as good as ours.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

from infrascan.question import words

K, B = 1.2, 0.6


class Ranking:
    def __init__(self, descriptions: Mapping[str, str]) -> None:
        self.documents = {name: Counter(words(text)) for name, text in descriptions.items()}
        self.average = sum(map(Counter.total, self.documents.values())) / len(self.documents)
        self.frequency = Counter(word for bag in self.documents.values() for word in bag)

    def score(self, name: str, prompt: str) -> float:
        bag, total = self.documents[name], 0.0
        for word in set(words(prompt)):
            if count := bag[word]:
                rest = len(self.documents) - self.frequency[word] + 0.5
                weight = math.log(1 + rest / (self.frequency[word] + 0.5))
                length = 1 - B + B * bag.total() / self.average
                total += weight * count * (K + 1) / (count + K * length)
        return total

    def top(self, prompt: str) -> str:
        return max(self.documents, key=lambda name: (self.score(name, prompt), name))

    def similarity(self, one: str, other: str) -> float:
        """Cosine of the two descriptions, words weighted by how rare they are."""
        a, b = self.weights(one), self.weights(other)
        dot = sum(a[word] * b[word] for word in a.keys() & b.keys())
        return dot / math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))

    def weights(self, name: str) -> dict[str, float]:
        n = len(self.documents)
        return {
            word: (1 + math.log(count)) * math.log(1 + n / self.frequency[word])
            for word, count in self.documents[name].items()
        }


PROMPTS: dict[str, tuple[str, ...]] = {
    "infrascan_version": (
        "Are the credentials for each provider working?",
        "which version of infrascan is this and what is it connected to",
        "health check before we start: is every provider configured?",
    ),
    "deep_research": (
        "Scan my production infrastructure for cost waste, security gaps, and reliability issues.",
        "audit everything across AWS, GCP, Azure and Kubernetes in parallel",
        "run a broad audit of all our clouds",
        "do a full scan of the clouds for waste and exposure",
        "deep research over all providers with graded findings and dollars",
    ),
    "get_job": (
        "how far is the background research, what is its progress?",
        "get the result of job-12ab",
        "the connection was lost, find the research job again",
    ),
    "cancel_job": ("stop the research that is going on in the background", "stop that background job"),
    "route_question": (
        "Which pods use more than 80 % of their memory limit right now?",
        "what changed in production in the last 30 minutes?",
        "Give me a health report of my infrastructure",
        "are all services in the production namespace healthy?",
        "What instance type does the prod cluster run?",
        "answer this question in plain words about the live estate",
    ),
    "why": (
        "what is the root cause of the latency in checkout-api?",
        "why is the health check failing since 14:38, which deployment caused it?",
        "root cause of the crash of the cart service",
        "which change is upstream of this latency alarm, and what rollback would you propose?",
    ),
    "list_scans": (
        "history of scans",
        "which scans are kept on this machine?",
        "list the ids of earlier scans and when each ran",
    ),
    "get_findings": (
        "show me the critical security findings of the last scan",
        "next page of findings filtered by account",
        "all reliability findings of kind aws.rds.instance, worst first",
        "cost issues filtered by category",
    ),
    "explain_finding": (
        "explain finding eb814d65ce2a and how to fix it",
        "why does this finding matter and what is the evidence behind it?",
        "explain that one finding to me",
    ),
    "diff_scans": (
        "compare the last two scans",
        "which findings are new or fixed between yesterday's scan and today's?",
        "difference between two stored scans",
    ),
    "query_inventory": (
        "run a SQL query over the inventory",
        "SELECT count(*) grouped by kind from resources",
        "join resources and findings with SQL",
    ),
    "get_paths": (
        "attack paths from the internet to our data",
        "what is the blast radius of that exposed role?",
        "smallest set of changes that cuts the attack paths",
    ),
    "list_pods": (
        "list all pods in the shop namespace with their restart counts",
        "table of pods with STATUS and RESTARTS",
        "list pods, whatever state they are in",
    ),
    "get_pod_status": (
        "is the cart workload up and ready, on which node does it run?",
        "status check for pods whose name begins with nginx",
        "is the redis pod ready and how many restarts and what age?",
    ),
    "get_failing_pods": (
        "which pods are failing?",
        "show only the failing ones among the pods",
        "any pods in CrashLoopBackOff?",
        "pods that were OOMKilled",
        "list pods with ImagePullBackOff or Error",
        "are there pods in Failed state?",
    ),
    "describe_pod": (
        "describe the pod broken-app",
        "what conditions and events does this pod have?",
        "show requests, limits and images of that one pod in detail",
        "why is this pod unschedulable: scheduling events and mount errors",
    ),
    "get_pod_logs": (
        "Pull the logs from broken-app",
        "Show me the last 50 lines of logs from the nginx pod",
        "what did the container print before the crash?",
        "read the application errors and stack traces of pod checkout-1",
        "previous log output of that Kubernetes pod",
    ),
    "list_deployments": (
        "which image tags are rolled out?",
        "list deployments with their replicas",
        "is the rollout of the deployment complete?",
        "desired versus available replicas for each Deployment",
    ),
    "list_clusters": (
        "which Kubernetes clusters can we reach?",
        "list contexts of the kubeconfig",
        "is this cluster EKS or GKE, and which API server version?",
    ),
    "kubectl": (
        "run kubectl get events --field-selector type=Warning",
        "kubectl top nodes",
        "kubectl explain deployment.spec",
    ),
    "helm": (
        "helm list in all namespaces",
        "which chart releases are installed and at which revision?",
        "helm history of the ingress release",
    ),
    "aws_cost_report": (
        "how much did we spend on AWS in the last 30 days?",
        "AWS bill by service",
        "cost report for last week",
        "what was spent on each AWS service from Cost Explorer",
    ),
    "list_ec2_instances": (
        "list my EC2 instances",
        "which virtual machines run in AWS and with what public IP?",
        "EC2 instance types and state in all regions",
    ),
    "list_cloudwatch_alarms": (
        "which CloudWatch alarms are firing?",
        "any alarms with INSUFFICIENT_DATA?",
        "alarms in state ALARM and since when",
    ),
    "list_s3_buckets": (
        "list S3 buckets with size",
        "when was each S3 bucket created and how big is it?",
        "which buckets have a public policy?",
    ),
    "list_containers": (
        "docker ps",
        "which Docker containers run on this host?",
        "published ports of the containers on this engine",
    ),
    "container_logs": (
        "docker logs of the importer container",
        "tail the stdout of the local Docker container cache",
        "stderr of my local container",
    ),
    "query_prometheus": (
        "run this PromQL: rate(http_requests_total[5m])",
        "what is the p99 latency of checkout according to Prometheus over the last hour?",
        "GPU utilisation from the DCGM exporter as a time series",
    ),
    "search_logs": (
        "search Loki for error lines of app checkout in the last hour",
        "LogQL query over the aggregated logs",
        "grep all shipped log lines for timeout in Loki",
    ),
    "search_traces": (
        "slowest traces of the checkout service in Jaeger",
        "which span of the distributed trace failed?",
        "where does the time go in requests of cart, by trace",
    ),
    "list_alerts": (
        "which Prometheus alerts are firing?",
        "pending or silenced alerts in Alertmanager",
        "list Alertmanager alerts with their severity label",
    ),
    "list_incidents": (
        "open PagerDuty incidents",
        "who is on call for the triggered incident?",
        "list incidents that are acknowledged and their urgency",
    ),
    "terraform_state": (
        "summarise the Terraform state files",
        "what resources does our Terraform state manage, any tainted ones?",
        "who holds the Terraform state lock?",
    ),
    "terraform_plan": (
        "run terraform plan in this configuration folder",
        "preview what terraform would change or destroy without applying",
        "what would terraform add in infra/prod?",
    ),
    "run_command": (
        "propose scaling the deployment to 5 replicas with kubectl scale",
        "apply this manifest, change the infrastructure",
        "propose a command: aws ec2 modify-instance-attribute",
        "roll back the helm release, queue the command for an operator",
        "delete that unused volume with the aws command line",
    ),
    "command_result": (
        "was the command I proposed before approved, denied or expired?",
        "exit code and output of approval id 2f38ece6",
        "outcome of the proposed command by approval id",
    ),
    "restart_deployment": (
        "rolling restart of the deployment checkout-api",
        "restart the Kubernetes Deployment web",
        "please restart deployment redis-cache",
    ),
    "restart_container": (
        "restart the Docker container importer",
        "approve the restart of one container",
        "restart container cache in docker",
    ),
}  # fmt: skip
