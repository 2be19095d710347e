"""Load balancers, from the address to the backend, and what secures them."""

from __future__ import annotations

from infrascan.model import Relation
from infrascan.providers.gcp.asking import Parent, compute, listed
from infrascan.providers.gcp.tables import PAGED, Asset, Metric, address


def part(
    noun: str,
    title: str,
    schema: str,
    collection: str,
    types: tuple[str, ...],
    *,
    aggregated: bool = True,
    relations: tuple[Relation, ...] = (),
    metrics: tuple[Metric, ...] = (),
    drop: tuple[str, ...] = (),
    policy: bool = False,
) -> Asset:
    """A part of a load balancer."""
    kind = f"gcp.compute.{noun}"
    return Asset(
        kind=kind,
        title=title,
        types=tuple(f"compute.googleapis.com/{name}" for name in types),
        schema=f"compute:v1:{schema}",
        policy=policy,
        rest=compute(kind, title, collection, f"compute.{collection}.list", aggregated=aggregated),
        relations=relations,
        metrics=metrics,
        drop=drop,
    )


FORWARDING_RULES = part(
    "forwarding_rule",
    "Forwarding rule",
    "ForwardingRule",
    "forwardingRules",
    ("ForwardingRule", "GlobalForwardingRule"),
    relations=(
        address("http_proxy", "target", "gcp.compute.target_http_proxy", "forwarding_rules"),
        address("https_proxy", "target", "gcp.compute.target_https_proxy", "forwarding_rules"),
        address("ssl_proxy", "target", "gcp.compute.target_ssl_proxy", "forwarding_rules"),
        address("backend", "backendService", "gcp.compute.backend_service", "forwarding_rules"),
        Relation(
            name="addresses",
            path="IPAddress",
            to="gcp.compute.address",
            by="address",
            reverse="forwarding_rules",
            within="account",
        ),
    ),
    metrics=(
        Metric(
            name="requests",
            type="loadbalancing.googleapis.com/https/request_count",
            resource="https_lb_rule",
            by="resource.forwarding_rule_name",
            match="{name}",
            aligners=("ALIGN_DELTA",),
            reducer="REDUCE_SUM",
        ),
    ),
)

HTTP_PROXIES = part(
    "target_http_proxy",
    "HTTP proxy of a load balancer",
    "TargetHttpProxy",
    "targetHttpProxies",
    ("TargetHttpProxy", "RegionTargetHttpProxy"),
    relations=(address("url_map", "urlMap", "gcp.compute.url_map", "http_proxies"),),
)

HTTPS_PROXIES = part(
    "target_https_proxy",
    "HTTPS proxy of a load balancer",
    "TargetHttpsProxy",
    "targetHttpsProxies",
    ("TargetHttpsProxy", "RegionTargetHttpsProxy"),
    relations=(
        address("url_map", "urlMap", "gcp.compute.url_map", "https_proxies"),
        address("ssl_policy", "sslPolicy", "gcp.compute.ssl_policy", "https_proxies"),
        address(
            "certificates", "sslCertificates[]", "gcp.compute.ssl_certificate", "https_proxies"
        ),
    ),
)

SSL_PROXIES = part(
    "target_ssl_proxy",
    "SSL proxy of a load balancer",
    "TargetSslProxy",
    "targetSslProxies",
    ("TargetSslProxy",),
    aggregated=False,
    relations=(
        address("ssl_policy", "sslPolicy", "gcp.compute.ssl_policy", "ssl_proxies"),
        address("certificates", "sslCertificates[]", "gcp.compute.ssl_certificate", "ssl_proxies"),
        address("backend", "service", "gcp.compute.backend_service", "ssl_proxies"),
    ),
)

URL_MAPS = part(
    "url_map",
    "URL map",
    "UrlMap",
    "urlMaps",
    ("UrlMap", "RegionUrlMap"),
    relations=(
        address("backends", "defaultService", "gcp.compute.backend_service", "url_maps"),
        address(
            "path_backends",
            "pathMatchers[].defaultService",
            "gcp.compute.backend_service",
            "path_maps",
        ),
        address("bucket_backends", "defaultService", "gcp.compute.backend_bucket", "url_maps"),
    ),
)

BACKEND_SERVICES = part(
    "backend_service",
    "Backend service",
    "BackendService",
    "backendServices",
    ("BackendService", "RegionBackendService"),
    policy=True,
    drop=("iap.oauth2ClientSecret", "securitySettings.awsV4Authentication.accessKey"),
    relations=(
        address("armor", "securityPolicy", "gcp.compute.security_policy", "backend_services"),
        address("checks", "healthChecks[]", "gcp.compute.health_check", "backend_services"),
        Relation(
            name="groups",
            path="backends[].group",
            to="gcp.compute.instance_group_manager",
            by="instance_group_id",
            reverse="backend_services",
            within="account",
            matching=r"(projects/.+)$",
        ),
    ),
)

BACKEND_BUCKETS = part(
    "backend_bucket",
    "Backend bucket",
    "BackendBucket",
    "backendBuckets",
    ("BackendBucket",),
    aggregated=False,
    policy=True,
    relations=(
        Relation(
            name="bucket",
            path="bucketName",
            to="gcp.storage.bucket",
            by="id",
            reverse="backend_buckets",
            within="anywhere",
        ),
    ),
)

SSL_POLICIES = part(
    "ssl_policy",
    "SSL policy",
    "SslPolicy",
    "sslPolicies",
    ("SslPolicy", "RegionSslPolicy"),
)

CERTIFICATES = part(
    "ssl_certificate",
    "Certificate of a load balancer",
    "SslCertificate",
    "sslCertificates",
    ("SslCertificate", "RegionSslCertificate"),
    drop=("privateKey", "selfManaged.privateKey"),
)

SECURITY_POLICIES = part(
    "security_policy",
    "Cloud Armor policy",
    "SecurityPolicy",
    "securityPolicies",
    ("SecurityPolicy",),
)

HEALTH_CHECKS = part(
    "health_check",
    "Health check",
    "HealthCheck",
    "healthChecks",
    ("HealthCheck", "RegionHealthCheck"),
)

MANAGED_CERTIFICATES = Asset(
    kind="gcp.certificatemanager.certificate",
    title="Certificate Manager certificate",
    types=("certificatemanager.googleapis.com/Certificate",),
    schema="certificatemanager:v1:Certificate",
    policy=False,
    drop=("selfManaged.pemPrivateKey",),
    rest=listed(
        "gcp.certificatemanager.certificate",
        "Certificate Manager certificate",
        "GET certificatemanager.googleapis.com/v1/projects/{project}/locations/{location}/certificates",
        "certificates[]",
        "certificatemanager.certs.list",
        region="{location}",
        parents=(
            Parent(
                api="GET certificatemanager.googleapis.com/v1/projects/{project}/locations",
                items="locations[]",
                gives={"location": "locationId"},
                paging=PAGED,
                permission="certificatemanager.locations.list",
            ),
        ),
    ),
)

TABLES = (
    FORWARDING_RULES,
    HTTP_PROXIES,
    HTTPS_PROXIES,
    SSL_PROXIES,
    URL_MAPS,
    BACKEND_SERVICES,
    BACKEND_BUCKETS,
    SSL_POLICIES,
    CERTIFICATES,
    SECURITY_POLICIES,
    HEALTH_CHECKS,
    MANAGED_CERTIFICATES,
)
