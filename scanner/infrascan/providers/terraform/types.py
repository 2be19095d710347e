"""Which live resource a type of Terraform's stands for, and how to find its id: plain data.

The id is that of our kind, a template over the attributes: `{arn}`; `{self_link!projects}` is what
follows and includes `projects/`. Names are only unique within their cluster or account, so only ids
that hold in the whole world become a `live_key`, by which two states can be seen to fight.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrascan.providers.templates import MissingError, fill

# type -> (our kind, template of our id)
AWS_BY_ARN: Mapping[str, str] = {
    "aws_acm_certificate": "aws.acm.certificate",
    "aws_alb": "aws.elbv2.load_balancer",
    "aws_ami": "aws.ec2.image",
    "aws_api_gateway_rest_api": "aws.apigateway.rest_api",
    "aws_apigatewayv2_api": "aws.apigatewayv2.api",
    "aws_autoscaling_group": "aws.autoscaling.group",
    "aws_cloudfront_distribution": "aws.cloudfront.distribution",
    "aws_cloudtrail": "aws.cloudtrail.trail",
    "aws_cloudwatch_log_group": "aws.logs.log_group",
    "aws_cloudwatch_metric_alarm": "aws.cloudwatch.alarm",
    "aws_db_instance": "aws.rds.db_instance",
    "aws_db_snapshot": "aws.rds.db_snapshot",
    "aws_dynamodb_table": "aws.dynamodb.table",
    "aws_ebs_snapshot": "aws.ec2.snapshot",
    "aws_ebs_volume": "aws.ec2.volume",
    "aws_ecr_repository": "aws.ecr.repository",
    "aws_ecs_cluster": "aws.ecs.cluster",
    "aws_ecs_task_definition": "aws.ecs.task_definition",
    "aws_efs_file_system": "aws.efs.file_system",
    "aws_eip": "aws.ec2.address",
    "aws_eks_cluster": "aws.eks.cluster",
    "aws_elasticache_cluster": "aws.elasticache.cluster",
    "aws_elasticache_replication_group": "aws.elasticache.replication_group",
    "aws_elb": "aws.elb.load_balancer",
    "aws_flow_log": "aws.ec2.flow_log",
    "aws_guardduty_detector": "aws.guardduty.detector",
    "aws_iam_group": "aws.iam.group",
    "aws_iam_policy": "aws.iam.policy",
    "aws_iam_role": "aws.iam.role",
    "aws_iam_user": "aws.iam.user",
    "aws_instance": "aws.ec2.instance",
    "aws_kms_key": "aws.kms.key",
    "aws_lambda_function": "aws.lambda.function",
    "aws_launch_template": "aws.ec2.launch_template",
    "aws_lb": "aws.elbv2.load_balancer",
    "aws_lb_listener": "aws.elbv2.listener",
    "aws_lb_target_group": "aws.elbv2.target_group",
    "aws_network_interface": "aws.ec2.network_interface",
    "aws_rds_cluster": "aws.rds.db_cluster",
    "aws_rds_cluster_instance": "aws.rds.db_instance",
    "aws_redshift_cluster": "aws.redshift.cluster",
    "aws_route53_zone": "aws.route53.hosted_zone",
    "aws_route_table": "aws.ec2.route_table",
    "aws_s3_bucket": "aws.s3.bucket",
    "aws_secretsmanager_secret": "aws.secretsmanager.secret",
    "aws_security_group": "aws.ec2.security_group",
    "aws_sns_topic": "aws.sns.topic",
    "aws_sqs_queue": "aws.sqs.queue",
    "aws_subnet": "aws.ec2.subnet",
    "aws_vpc": "aws.ec2.vpc",
}
GOOGLE_BY_LINK: Mapping[str, str] = {
    "google_compute_address": "gcp.compute.address",
    "google_compute_backend_service": "gcp.compute.backend_service",
    "google_compute_disk": "gcp.compute.disk",
    "google_compute_firewall": "gcp.compute.firewall",
    "google_compute_global_address": "gcp.compute.address",
    "google_compute_image": "gcp.compute.image",
    "google_compute_instance": "gcp.compute.instance",
    "google_compute_instance_template": "gcp.compute.instance_template",
    "google_compute_network": "gcp.compute.network",
    "google_compute_router": "gcp.compute.router",
    "google_compute_snapshot": "gcp.compute.snapshot",
    "google_compute_subnetwork": "gcp.compute.subnetwork",
    "google_compute_url_map": "gcp.compute.url_map",
}
# The provider's id is the path of the resource, "projects/…".
GOOGLE_BY_ID: Mapping[str, str] = {
    "google_artifact_registry_repository": "gcp.artifactregistry.repository",
    "google_bigquery_dataset": "gcp.bigquery.dataset",
    "google_cloudfunctions2_function": "gcp.cloudfunctions.function",
    "google_container_cluster": "gcp.container.cluster",
    "google_dns_managed_zone": "gcp.dns.managed_zone",
    "google_kms_crypto_key": "gcp.cloudkms.crypto_key",
    "google_kms_key_ring": "gcp.cloudkms.key_ring",
    "google_project": "gcp.cloudresourcemanager.project",
    "google_pubsub_subscription": "gcp.pubsub.subscription",
    "google_pubsub_topic": "gcp.pubsub.topic",
    "google_redis_instance": "gcp.redis.instance",
    "google_secret_manager_secret": "gcp.secretmanager.secret",
    "google_service_account": "gcp.iam.service_account",
}
AZURE: Mapping[str, str] = {
    "azurerm_container_registry": "azure.containerregistry.registry",
    "azurerm_cosmosdb_account": "azure.documentdb.database_account",
    "azurerm_key_vault": "azure.keyvault.vault",
    "azurerm_kubernetes_cluster": "azure.containerservice.managed_cluster",
    "azurerm_linux_virtual_machine": "azure.compute.virtual_machine",
    "azurerm_linux_web_app": "azure.web.site",
    "azurerm_managed_disk": "azure.compute.disk",
    "azurerm_mssql_server": "azure.sql.server",
    "azurerm_network_interface": "azure.network.network_interface",
    "azurerm_network_security_group": "azure.network.network_security_group",
    "azurerm_postgresql_flexible_server": "azure.dbforpostgresql.flexible_server",
    "azurerm_public_ip": "azure.network.public_ip_address",
    "azurerm_storage_account": "azure.storage.storage_account",
    "azurerm_virtual_network": "azure.network.virtual_network",
    "azurerm_windows_virtual_machine": "azure.compute.virtual_machine",
}
KUBERNETES: Mapping[str, str] = {
    **{
        f"kubernetes_{name}{version}": f"k8s.{name}"
        for version in ("", "_v1")
        for name in (
            *("config_map", "cron_job", "deployment", "ingress", "job", "namespace"),
            *("network_policy", "persistent_volume_claim", "role", "role_binding", "secret"),
            *("service", "service_account", "stateful_set", "cluster_role"),
        )
    },
    "kubernetes_daemonset": "k8s.daemon_set",
    "kubernetes_daemon_set_v1": "k8s.daemon_set",
}
OTHERS: Mapping[str, tuple[str, str]] = {
    "aws_ecs_service": ("aws.ecs.service", "{id}"),
    "aws_nat_gateway": ("aws.ec2.nat_gateway", "{id}"),  # data path NatGatewayId
    "aws_eks_node_group": ("aws.eks.nodegroup", "{arn}"),  # data path nodegroupArn
    "cloudflare_dns_record": ("cloudflare.dns.record", "{id}"),
    "cloudflare_record": ("cloudflare.dns.record", "{id}"),
    "cloudflare_r2_bucket": ("cloudflare.r2.bucket", "{name}"),
    "cloudflare_workers_script": ("cloudflare.workers.script", "{script_name|name}"),
    "cloudflare_zone": ("cloudflare.zone", "{id}"),
    "digitalocean_database_cluster": ("digitalocean.database_cluster", "{id}"),
    "digitalocean_domain": ("digitalocean.domain", "{name}"),
    "digitalocean_droplet": ("digitalocean.droplet", "{id}"),
    "digitalocean_firewall": ("digitalocean.firewall", "{id}"),
    "digitalocean_kubernetes_cluster": ("digitalocean.kubernetes_cluster", "{id}"),
    "digitalocean_loadbalancer": ("digitalocean.load_balancer", "{id}"),
    "digitalocean_reserved_ip": ("digitalocean.reserved_ip", "{ip_address}"),
    "digitalocean_volume": ("digitalocean.volume", "{id}"),
    "docker_container": ("docker.container", "{name}"),
    "docker_network": ("docker.network", "{id}"),
    "docker_volume": ("docker.volume", "{name}"),
    "github_repository": ("github.repository", "{full_name}"),
    "google_cloud_run_v2_service": ("gcp.run.service", "{id}"),
    "google_sql_database_instance": (
        "gcp.sqladmin.instance",
        "projects/{project}/instances/{name}",
    ),
    "google_storage_bucket": ("gcp.storage.bucket", "{name}"),
    "hcloud_firewall": ("hetzner.firewall", "{id}"),
    "hcloud_floating_ip": ("hetzner.floating_ip", "{id}"),
    "hcloud_load_balancer": ("hetzner.load_balancer", "{id}"),
    "hcloud_network": ("hetzner.network", "{id}"),
    "hcloud_primary_ip": ("hetzner.primary_ip", "{id}"),
    "hcloud_server": ("hetzner.server", "{id}"),
    "hcloud_volume": ("hetzner.volume", "{id}"),
}
TYPES: Mapping[str, tuple[str, str]] = {
    **{kind: (ours, "{arn}") for kind, ours in AWS_BY_ARN.items()},
    **{kind: (ours, "{self_link!address}") for kind, ours in GOOGLE_BY_LINK.items()},
    **{kind: (ours, "{id}") for kind, ours in GOOGLE_BY_ID.items()},
    **{kind: (ours, "{id}") for kind, ours in AZURE.items()},
    **{kind: (ours, "{id}") for kind, ours in KUBERNETES.items()},
    **OTHERS,
}
WORLDWIDE = ("aws.", "azure.", "gcp.", "hetzner.", "digitalocean.", "cloudflare.", "github.")
# Types whose loss loses data: destroying one is not undone by applying again.
STATEFUL = frozenset(
    {
        *("aws_db_instance", "aws_rds_cluster", "aws_rds_cluster_instance", "aws_dynamodb_table"),
        *("aws_s3_bucket", "aws_ebs_volume", "aws_efs_file_system", "aws_redshift_cluster"),
        *("aws_elasticache_replication_group", "aws_opensearch_domain", "aws_docdb_cluster"),
        *("aws_neptune_cluster", "aws_ecr_repository", "aws_kms_key", "aws_cognito_user_pool"),
        *("aws_fsx_lustre_file_system", "aws_elasticsearch_domain", "aws_msk_cluster"),
        *("google_sql_database_instance", "google_sql_database", "google_storage_bucket"),
        *("google_bigquery_dataset", "google_bigquery_table", "google_compute_disk"),
        *("google_spanner_instance", "google_spanner_database", "google_bigtable_instance"),
        *("google_filestore_instance", "google_kms_crypto_key", "google_redis_instance"),
        *("google_alloydb_cluster", "google_firestore_database"),
        *("azurerm_storage_account", "azurerm_storage_container", "azurerm_managed_disk"),
        *("azurerm_mssql_database", "azurerm_mssql_server", "azurerm_cosmosdb_account"),
        *("azurerm_postgresql_flexible_server", "azurerm_mysql_flexible_server"),
        *("azurerm_key_vault", "azurerm_redis_cache"),
        *("digitalocean_database_cluster", "digitalocean_volume", "digitalocean_spaces_bucket"),
        *("hcloud_volume", "cloudflare_r2_bucket", "cloudflare_d1_database"),
        *("cloudflare_workers_kv_namespace", "github_repository", "docker_volume"),
        *("kubernetes_persistent_volume_claim", "kubernetes_persistent_volume_claim_v1"),
        *("kubernetes_persistent_volume", "kubernetes_namespace", "kubernetes_namespace_v1"),
    }
)
# Types that decide who may reach or use something.
ACCESS = (
    *("aws_security_group", "aws_vpc_security_group", "aws_network_acl", "aws_iam_", "aws_kms_key"),
    *("aws_s3_bucket_policy", "aws_s3_bucket_public_access_block", "aws_s3_bucket_acl"),
    *("google_compute_firewall", "google_project_iam", "google_storage_bucket_iam"),
    *("google_service_account", "azurerm_network_security", "azurerm_role_assignment"),
    *("azurerm_key_vault_access_policy", "hcloud_firewall", "digitalocean_firewall"),
    *("cloudflare_ruleset", "cloudflare_zero_trust_access", "cloudflare_access"),
    *("github_branch_protection", "github_repository_ruleset", "github_team", "github_membership"),
    *("kubernetes_role", "kubernetes_cluster_role", "kubernetes_network_policy"),
)


def live(kind: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
    """Our kind, our id and a key that holds worldwide; each "" where it is not known."""
    if kind not in TYPES:
        return "", "", ""
    ours, template = TYPES[kind]
    try:
        found = str(fill(template, values))
    except MissingError:
        return ours, "", ""
    return ours, found, f"{ours} {found}" if found and ours.startswith(WORLDWIDE) else ""
