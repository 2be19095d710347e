"""A small cluster with an object of every kind, and secrets wherever people put them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trio

from infrascan.collect.engine import Collected, Collection
from infrascan.collect.provider import Ask, Call, Selection
from infrascan.model import Gap, Identity, Partition, ReadError, Reason, Resource
from infrascan.providers.kubernetes import Kubernetes
from tests.servers.kubernetes import ApiServer, objects_of

CANARY = "c4n4ry-b2f7e1d8"  # stands for every secret; found anywhere, it leaked
OBSERVED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

MANIFESTS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system}
---
apiVersion: v1
kind: Node
metadata: {name: node-a, labels: {eks.amazonaws.com/nodegroup: general}}
spec: {providerID: "aws:///eu-west-1a/i-0123456789abcdef0"}
status:
  capacity: {cpu: "4", memory: 16Gi}
  allocatable: {cpu: 3920m, memory: 15Gi}
  nodeInfo: {kubeletVersion: v1.36.2, osImage: Bottlerocket}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"env":"CANARY"}'
    note: kept
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      imagePullSecrets: [{name: registry}]
      containers:
        - name: web
          image: shop/web:1
          env:
            - {name: DB_PASSWORD, value: CANARY}
            - {name: MODE, value: CANARY}
            - {name: KEY, valueFrom: {secretKeyRef: {name: db, key: password}}}
          envFrom:
            - configMapRef: {name: settings}
            - configMapRef: {name: extras, optional: true}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-5d8f
  namespace: shop
  labels: {app: web}
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: u1, controller: true}]
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "shop/web:1", env: [{name: A, value: CANARY}]}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: web-5d8f-x
  namespace: shop
  labels: {app: web}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: web-5d8f, uid: u2, controller: true}]
spec:
  nodeName: node-a
  serviceAccountName: web
  containers:
    - name: web
      image: shop/web:1
      env: [{name: DB_PASSWORD, value: CANARY}, {name: MODE, value: CANARY}]
      resources: {requests: {cpu: 250m, memory: 256Mi}, limits: {cpu: 500m, memory: 512Mi}}
    - name: side
      image: shop/side:1
      resources: {requests: {cpu: 50m}, limits: {memory: 64Mi}}
  initContainers:
    - name: init
      image: shop/init:1
      env: [{name: TOKEN, value: CANARY}]
      resources: {requests: {cpu: "1"}}
  volumes:
    - name: data
      persistentVolumeClaim: {claimName: data}
    - name: settings
      configMap: {name: settings}
    - name: mixed
      projected: {sources: [{secret: {name: db}}, {configMap: {name: gone}}]}
status: {phase: Running}
---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: shop, labels: {app: batch}}
spec:
  nodeName: node-a
  serviceAccountName: default
  containers: [{name: main, image: "shop/batch:1", resources: {requests: {cpu: "3"}}}]
status: {phase: Succeeded}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "shop/db:1"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "shop/agent:1"}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: shop}
spec:
  schedule: 0 3 * * *
  jobTemplate:
    spec:
      template:
        spec: {containers: [{name: main, image: "shop/batch:1", env: [{name: P, value: CANARY}]}]}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: nightly-1
  namespace: shop
  ownerReferences: [{apiVersion: batch/v1, kind: CronJob, name: nightly, uid: u3, controller: true}]
spec:
  template:
    spec: {containers: [{name: main, image: "shop/batch:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: []
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  rules:
    - http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /old, pathType: Prefix, backend: {service: {name: old, port: {number: 80}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: admin}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: web}, {kind: ServiceAccount, name: ghost}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
---
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"CANARY"}}'
type: kubernetes.io/basic-auth
data: {password: CANARY, username: CANARY}
---
apiVersion: v1
kind: Secret
metadata: {name: registry, namespace: shop}
type: kubernetes.io/dockerconfigjson
data: {.dockerconfigjson: CANARY}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
  mode: plain-CANARY
  db_password: CANARY
  id_rsa: "-----BEGIN RSA PRIVATE KEY-----\\nCANARY\\n-----END RSA PRIVATE KEY-----"
binaryData: {logo: Q0FOQVJZ}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: pv-1}
spec: {storageClassName: gp3, capacity: {storage: 10Gi}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: shop}
spec: {volumeName: pv-1, storageClassName: gp3}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: gp3}
provisioner: ebs.csi.aws.com
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: all, namespace: shop}
spec: {hard: {requests.cpu: "10", pods: "4"}}
status: {hard: {requests.cpu: "10", pods: "4"}, used: {requests.cpu: 2500m, pods: "4"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: all, namespace: shop}
spec: {limits: [{type: Container, default: {cpu: 100m}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web, namespace: shop}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: policy}
webhooks: [{name: a.b.c, clientConfig: {service: {namespace: shop, name: policy}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: inject}
webhooks: [{name: a.b.c, clientConfig: {service: {namespace: shop, name: web}}}]
---
apiVersion: v1
kind: Event
metadata: {name: web.1, namespace: shop}
involvedObject: {kind: Pod, namespace: shop, name: web-5d8f-x}
reason: BackOff
message: "pull failed: password=CANARY for registry"
type: Warning
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: metrics.k8s.io/v1beta1
kind: PodMetrics
metadata: {name: web-5d8f-x, namespace: shop}
containers:
  - {name: web, usage: {cpu: 100m, memory: 128Mi}}
  - {name: side, usage: {cpu: "50000000n", memory: 64Mi}}
---
apiVersion: metrics.k8s.io/v1beta1
kind: NodeMetrics
metadata: {name: node-a}
usage: {cpu: 980m, memory: 3Gi}
"""


def objects() -> list[dict[str, Any]]:
    return objects_of(MANIFESTS.replace("CANARY", CANARY))


def provider(*contexts: str, secrets: bool = False) -> Kubernetes:
    """Reads the kubeconfig that KUBECONFIG names."""
    return Kubernetes(Selection(observed=OBSERVED, contexts=contexts, secrets=secrets))


def connect(*contexts: str) -> list[Identity]:
    """As whom the contexts are read, with one attempt a call."""

    async def identities() -> list[Identity]:
        return list(await found.connect(found.send))

    found = provider(*contexts)
    try:
        return trio.run(identities)
    finally:
        found.close()


def scan(found: Kubernetes, **settings: Any) -> Collected:
    """Read everything through the engine, with its retries and gaps."""
    return trio.run(Collection(providers=[found], **settings).run)


def pods(count: int) -> list[dict]:
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{n:04}"}, "spec": {}}
        for n in range(count)
    ]


def scan_of(
    server: ApiServer, folder: Path, monkeypatch: Any, *, secrets: bool = False, **config: Any
):
    path = server.kubeconfig(folder / "kubeconfig", **config)
    monkeypatch.setenv("KUBECONFIG", str(path))
    return scan(provider(secrets=secrets))


def read(found: Kubernetes, kind: str, *, seconds: float = 5.0) -> tuple[list[Resource], list[Gap]]:
    """Read one kind with one attempt a call: what came, and the gaps of the list and of details."""

    async def ask(call: Call) -> Any:
        with trio.move_on_after(seconds):
            try:
                return await found.send(call)
            except ReadError as error:
                error.call = error.call or call.api
                raise
        raise ReadError(Reason.TIMED_OUT, f"no answer in {seconds} s", call=call.api)

    return trio.run(read_one, found, kind, ask)


async def read_one(found: Kubernetes, kind: str, ask: Ask) -> tuple[list[Resource], list[Gap]]:
    resources: list[Resource] = []
    gaps: list[Gap] = []
    place = Partition(provider="k8s", account="lab", region="", kind=kind)
    try:
        await found.read(place, ask, resources.append)
    except ReadError as error:
        gaps.append(
            Gap(
                provider="k8s",
                account="lab",
                kind=kind,
                call=error.call,
                reason=error.reason,
                detail=error.detail,
                permission=error.permission,
            )
        )
    finally:
        found.close()
    gaps += dict.fromkeys(gap for resource in resources for gap in resource.unread.values())
    return resources, gaps


def of_kind(resources: Sequence[Resource], kind: str) -> list[Resource]:
    return [resource for resource in resources if resource.kind == kind]
