"""Commands as agents and people write them, by what they do."""

from __future__ import annotations

import shlex

MUTATING = """
kubectl apply -f web.yaml
kubectl apply -f web.yaml --server-side --force-conflicts
kubectl apply -n shop -f web.yaml --dry-run=server
kubectl create -f web.yaml
kubectl create namespace shop
kubectl create deployment web --image=nginx:1.27
kubectl create job once --image=busybox -- sh -c "rm -rf /data"
kubectl create cronjob nightly --image=busybox --schedule "0 3 * * *" -- date
kubectl create configmap web --from-literal=a=b
kubectl create serviceaccount builder
kubectl create role reader --verb=get --resource=pods
kubectl create clusterrolebinding all --clusterrole=cluster-admin --user=eve
kubectl create secret generic db --from-literal=password=x
kubectl create token builder
kubectl replace -f web.yaml
kubectl replace --force -f web.yaml
kubectl patch deployment web -n shop -p {"spec":{"replicas":3}}
kubectl scale deployment/web --replicas=5 -n shop
kubectl scale --replicas=0 deployment web
kubectl autoscale deployment web --min=2 --max=10
kubectl set image deployment/web app=nginx:1.28 -n shop
kubectl set env deployment/web LEVEL=debug
kubectl set resources deployment web --limits=cpu=1
kubectl label pods web team=shop
kubectl annotate deployment web note=x --overwrite
kubectl taint nodes n1 dedicated=x:NoSchedule
kubectl expose deployment web --port=80
kubectl run probe --image=busybox --restart=Never -- sleep 10
kubectl rollout restart deployment/web -n shop
kubectl -n shop rollout restart deployment web
kubectl rollout undo deployment/web --to-revision=3
kubectl rollout pause deployment/web
kubectl rollout resume deployment/web
kubectl cordon n1
kubectl uncordon n1
kubectl drain n1 --ignore-daemonsets --delete-emptydir-data
kubectl delete pod web-0 -n shop
kubectl delete deployment --all -n shop
kubectl delete namespace shop
kubectl delete -f web.yaml --grace-period=0 --force
kubectl delete pods -l app=web
kubectl exec web-0 -- rm -rf /data
kubectl exec -n shop web-0 -c app -- sh -c "kill 1"
kubectl certificate approve csr-1
kubectl edit deployment web
kubectl cp web-0:/etc/passwd ./passwd
kubectl attach web-0
kubectl port-forward svc/web 8080:80
kubectl proxy
kubectl debug node/n1 --image=busybox
kubectl config use-context prod
kubectl config set-credentials eve
kubectl plugin list
kubectl frobnicate pods
kubectl auth reconcile -f rbac.yaml
kubectl delete secret db
helm install web shop/web
helm install web shop/web --set replicas=3 -n shop --create-namespace
helm upgrade web shop/web --reuse-values
helm upgrade --install web shop/web --version 1.2.3
helm upgrade web shop/web --force
helm uninstall web -n shop
helm delete web
helm un web
helm rollback web 3
helm test web
helm repo add shop https://example.com
helm repo update
helm repo remove shop
helm plugin install https://example.com/p
helm push web-1.tgz oci://example.com/charts
helm registry login example.com
helm dependency update ./web
helm create web
helm diff upgrade web shop/web
terraform apply -auto-approve
terraform apply web.tfplan
terraform destroy -auto-approve
terraform apply -destroy -auto-approve
terraform apply
terraform init
terraform init -upgrade
terraform import aws_s3_bucket.b b
terraform taint aws_instance.web
terraform untaint aws_instance.web
terraform refresh
terraform state mv a.b a.c
terraform state rm a.b
terraform state push x.tfstate
terraform force-unlock 1234
terraform workspace new prod
terraform workspace delete prod
terraform workspace select prod
terraform plan -out=web.tfplan
terraform fmt
terraform login
terraform console
terraform test
aws ec2 terminate-instances --instance-ids i-0abc
aws ec2 stop-instances --instance-ids i-0abc
aws ec2 start-instances --instance-ids i-0abc
aws ec2 run-instances --image-id ami-1 --count 1
aws ec2 reboot-instances --instance-ids i-0abc
aws ec2 delete-volume --volume-id vol-1
aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 22 --cidr 0.0.0.0/0
aws ec2 revoke-security-group-ingress --group-id sg-1 --protocol tcp --port 22 --cidr 0.0.0.0/0
aws ec2 modify-instance-attribute --instance-id i-1 --instance-type t3.large
aws ec2 create-tags --resources i-1 --tags Key=a,Value=b
aws ec2 release-address --allocation-id eipalloc-1
aws s3 rm s3://bucket/key
aws s3 rm s3://bucket --recursive
aws s3 rb s3://bucket --force
aws s3 mb s3://bucket
aws s3 cp s3://a/b s3://c/d
aws s3 sync s3://a s3://b --delete
aws s3 mv s3://a/b s3://c/d
aws s3api delete-bucket --bucket b
aws s3api put-bucket-policy --bucket b --policy {}
aws s3api put-public-access-block --bucket b --public-access-block-configuration BlockPublicAcls=true
aws rds delete-db-instance --db-instance-identifier db --skip-final-snapshot
aws rds modify-db-instance --db-instance-identifier db --no-publicly-accessible
aws rds reboot-db-instance --db-instance-identifier db
aws iam delete-user --user-name eve
aws iam attach-role-policy --role-name r --policy-arn arn:aws:iam::aws:policy/AdministratorAccess
aws iam create-access-key --user-name eve
aws iam update-login-profile --user-name eve
aws lambda delete-function --function-name f
aws lambda update-function-configuration --function-name f --timeout 3
aws lambda invoke --function-name f out.json
aws ecs update-service --cluster c --service s --desired-count 3
aws ecs stop-task --cluster c --task t
aws eks delete-cluster --name c
aws eks update-nodegroup-config --cluster-name c --nodegroup-name n
aws cloudformation delete-stack --stack-name s
aws cloudformation create-stack --stack-name s
aws dynamodb delete-table --table-name t
aws dynamodb put-item --table-name t --item {}
aws sqs purge-queue --queue-url q
aws sns publish --topic-arn t --message hi
aws route53 change-resource-record-sets --hosted-zone-id Z1
aws kms schedule-key-deletion --key-id k
aws secretsmanager put-secret-value --secret-id s
aws autoscaling set-desired-capacity --auto-scaling-group-name a --desired-capacity 0
aws logs delete-log-group --log-group-name g
aws sts assume-role --role-arn r
aws ssm send-command --document-name AWS-RunShellScript
aws ssm start-session --target i-1
aws configure set region eu-west-1
aws frobnicate something
gcloud compute instances delete web --zone europe-west1-b
gcloud compute instances stop web
gcloud compute instances start web
gcloud compute instances create web --machine-type e2-small
gcloud compute firewall-rules create open --allow tcp:22
gcloud compute firewall-rules delete open
gcloud compute ssh web
gcloud compute disks resize d --size 100
gcloud container clusters delete prod
gcloud container clusters resize prod --num-nodes 0
gcloud container clusters get-credentials prod
gcloud sql instances delete db
gcloud sql instances patch db --tier db-f1-micro
gcloud run deploy web --image x
gcloud run services update web --memory 1Gi
gcloud projects delete shop
gcloud projects add-iam-policy-binding shop --member user:eve@example.com --role roles/owner
gcloud iam service-accounts keys create key.json
gcloud iam service-accounts delete sa
gcloud storage rm gs://bucket/x
gcloud storage buckets delete gs://bucket
gcloud pubsub topics delete t
gcloud functions delete f
gcloud secrets create s
gcloud config set project other
gcloud services enable x
gcloud kms keys versions destroy 1
gcloud auth login
az vm delete -g rg -n web --yes
az vm stop -g rg -n web
az vm start -g rg -n web
az vm create -g rg -n web --image Ubuntu2204
az vm resize -g rg -n web --size Standard_B2s
az vm run-command invoke -g rg -n web --command-id RunShellScript
az group delete -n rg --yes
az group create -n rg -l westeurope
az aks delete -g rg -n prod
az aks scale -g rg -n prod --node-count 0
az aks get-credentials -g rg -n prod
az storage account delete -n s
az storage account create -n s -g rg
az network nsg rule create -g rg --nsg-name n -n open --priority 100
az sql db delete -g rg -s srv -n db
az role assignment create --assignee eve --role Owner
az keyvault secret set --vault-name v -n s --value x
az webapp restart -g rg -n web
az webapp config appsettings set -g rg -n web --settings A=B
az login
az rest --method delete --url x
az extension add -n x
docker run -d --name web nginx
docker rm -f web
docker stop web
docker start web
docker restart web
docker kill web
docker exec web rm -rf /data
docker pull nginx:1.27
docker push example/web
docker rmi nginx
docker system prune -a
docker volume rm data
docker network create n
docker service scale web=5
docker service rm web
docker compose down
docker compose up -d
docker swarm leave
docker login
docker build .
gh pr merge 12 --squash
gh pr create --title x --body y
gh pr close 12
gh issue create --title x --body y
gh issue close 12
gh repo delete acme/web --yes
gh repo archive acme/web
gh workflow run deploy.yml
gh workflow disable deploy.yml
gh run cancel 123
gh run rerun 123
gh release delete v1
gh secret set TOKEN
gh variable set A --body b
gh api -X DELETE repos/acme/web
gh api repos/acme/web/issues -X POST
gh api --method=PATCH repos/acme/web
gh auth login
gh extension install x/y
doctl compute droplet delete 123 --force
doctl compute droplet create web --image x --size y
doctl compute droplet-action power-off 123
doctl kubernetes cluster delete prod
doctl databases delete 12
doctl apps delete 12
doctl compute firewall create --name x
doctl auth init
hcloud server delete web
hcloud server create --name web --type cx22 --image debian-12
hcloud server poweroff web
hcloud server reboot web
hcloud server rebuild web --image debian-12
hcloud volume delete data
hcloud firewall delete-rule f --direction in
hcloud network create --name n --ip-range 10.0.0.0/16
hcloud context use prod
curl -X POST https://example.com
rm -rf /
sh -c "kubectl get pods"
bash
python -c "import os"
infrascan approvals approve 12
./kubectl get pods
/usr/bin/kubectl get pods
sudo kubectl get pods
env kubectl get pods
"""

READS = """
kubectl get pods
kubectl get pods -A
kubectl get pods -n shop -o wide
kubectl -n shop get pods -o json
kubectl get deploy,svc,ing -n shop
kubectl get pod/web-0 -o yaml
kubectl get pods -l app=web,tier!=db --show-labels
kubectl get pods --field-selector=status.phase=Running
kubectl get nodes --no-headers
kubectl get nodes -o jsonpath={.items[*].metadata.name}
kubectl get pods -o custom-columns=NAME:.metadata.name,PHASE:.status.phase
kubectl get secrets -n shop
kubectl get events --sort-by=.lastTimestamp
kubectl get all -n shop
kubectl get crd
kubectl get hpa -A --context=staging
kubectl describe pod web-0 -n shop
kubectl describe node n1
kubectl describe deployment/web
kubectl logs web-0
kubectl logs web-0 -c app --tail=100 --timestamps
kubectl logs -l app=web --since=10m --prefix
kubectl logs deploy/web -p
kubectl logs web-0 --all-containers --limit-bytes=10000
kubectl top pods -n shop --containers
kubectl top nodes
kubectl top pod -A --sort-by=memory
kubectl events -n shop --for=pod/web-0
kubectl explain pods.spec.containers
kubectl api-resources --namespaced=true
kubectl api-versions
kubectl version -o json
kubectl version --client
kubectl cluster-info
kubectl rollout status deployment/web --timeout=5s
kubectl rollout history deployment/web -n shop
kubectl rollout history deployment/web --revision=3
kubectl auth can-i delete pods -n shop
kubectl auth can-i --list
kubectl auth whoami
kubectl config get-contexts
kubectl config current-context
kubectl wait --for=condition=Ready pod/web-0 --timeout=5s
kubectl diff -f web.yaml
helm list
helm list -A -o json
helm ls -n shop --pending
helm status web -n shop
helm status web --revision 3 -o yaml
helm get values web
helm get values web --all -o json
helm get manifest web -n shop
helm get notes web
helm get hooks web
helm get metadata web
helm get all web
helm history web --max 5
helm hist web -n shop
helm show chart shop/web
helm show values shop/web --version 1.2.3
helm show readme shop/web
helm template web shop/web --set replicas=2
helm version --short
helm search repo web -l
helm repo list
terraform plan
terraform plan -destroy
terraform plan -target=aws_instance.web -no-color
terraform plan -refresh-only
terraform validate -json
terraform show
terraform output
terraform state list
terraform state show aws_instance.web
terraform providers
terraform version
terraform workspace list
terraform workspace show
terraform fmt -check
terraform graph
aws sts get-caller-identity
aws ec2 describe-instances
aws ec2 describe-instances --instance-ids i-0abc --output table
aws ec2 describe-instances --filters Name=tag:Name,Values=web --query Reservations[].Instances[].InstanceId
aws --profile prod --region eu-west-1 ec2 describe-security-groups
aws ec2 describe-volumes --no-paginate
aws ec2 wait instance-running --instance-ids i-1
aws s3 ls
aws s3 ls s3://bucket/prefix/ --recursive --human-readable
aws s3api list-buckets
aws s3api get-bucket-policy --bucket b
aws s3api head-object --bucket b --key k
aws rds describe-db-instances
aws iam list-users
aws iam get-role --role-name r
aws iam simulate-principal-policy --policy-source-arn a --action-names s3:GetObject
aws lambda list-functions
aws lambda get-function-configuration --function-name f
aws ecs describe-services --cluster c --services s
aws eks describe-cluster --name c
aws eks list-clusters
aws cloudwatch describe-alarms --state-value ALARM
aws cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name CPUUtilization
aws ce get-cost-and-usage --time-period Start=2026-11-01,End=2026-11-21 --granularity MONTHLY
aws cloudtrail lookup-events --max-items 20
aws logs describe-log-groups
aws logs filter-log-events --log-group-name g --filter-pattern ERROR
aws route53 list-hosted-zones
aws route53 list-resource-record-sets --hosted-zone-id Z1
aws cloudformation describe-stacks
aws dynamodb describe-table --table-name t
aws sqs get-queue-attributes --queue-url https://sqs.eu-west-1.amazonaws.com/1/q --attribute-names All
aws secretsmanager list-secrets
aws secretsmanager describe-secret --secret-id s
aws ssm describe-parameters
aws ssm get-parameter --name p
aws kms list-keys
aws elbv2 describe-load-balancers
aws autoscaling describe-auto-scaling-groups
aws ecr describe-repositories
aws guardduty list-detectors
aws organizations list-accounts
gcloud compute instances list
gcloud compute instances describe web --zone europe-west1-b
gcloud compute firewall-rules list --format=json
gcloud container clusters list --project shop
gcloud container clusters describe prod --region europe-west1
gcloud sql instances list
gcloud storage buckets list
gcloud projects list
gcloud projects get-iam-policy shop
gcloud iam service-accounts list
gcloud run services list
gcloud functions list
gcloud pubsub topics list
gcloud logging read severity>=ERROR --limit 10 --freshness=1h
gcloud dns managed-zones list
gcloud secrets list
gcloud config get-value project
gcloud services list --filter state:ENABLED
az vm list
az vm list -g rg -o table
az vm show -g rg -n web
az vm get-instance-view -g rg -n web
az group list
az aks list --subscription s
az aks show -g rg -n prod
az aks nodepool list -g rg --cluster-name prod
az network nsg list
az network nsg rule list -g rg --nsg-name n
az storage account list
az sql db list -g rg --server srv
az webapp list
az monitor activity-log list --start-time 2026-11-20
az role assignment list --all
az keyvault secret list --vault-name v
az account show
az resource list --tag a=b
docker ps
docker ps -a --filter status=exited --no-trunc
docker container ls
docker images
docker inspect web
docker logs web --tail 100
docker logs --since 10m -t web
docker stats --no-stream
docker top web
docker port web
docker version
docker info
docker network ls
docker network inspect bridge
docker volume ls
docker system df
docker -c remote ps
docker service ls
docker stack ps web
gh pr list -R acme/web
gh pr view 12 --json title,state
gh pr diff 12
gh pr checks 12
gh issue list --label bug -L 50
gh issue view 12 --comments
gh run list --workflow deploy.yml
gh run view 123 --log-failed
gh workflow list
gh repo view acme/web
gh release list
gh secret list
gh api repos/acme/web/actions/runs
gh api -X GET repos/acme/web --jq .name
gh api repos/{owner}/{repo}/pulls?state=open --paginate
gh search issues crash --repo acme/web
gh auth status
doctl compute droplet list
doctl compute droplet get 123 -o json
doctl kubernetes cluster list
doctl apps list
doctl compute firewall list
doctl account get
doctl projects list
hcloud server list
hcloud server describe web -o json
hcloud volume list -o noheader
hcloud firewall describe f
hcloud load-balancer list
hcloud network list
hcloud server-type list
hcloud image list
"""

SECRETS = """
kubectl get secret db -o yaml
kubectl get secret/db -o json
kubectl get secrets -o jsonpath={.items[*].data}
kubectl get pods,secrets -o yaml
kubectl get pod/web secret/db -o yaml
kubectl get secrets.v1. -o json
kubectl get SECRETS -ojson
kubectl get -n shop secret db --output=yaml
kubectl describe secret db
kubectl get secret db -o go-template={{.data}}
kubectl get secret db --template={{.data}}
kubectl get secret db -o custom-columns=X:.data.password
kubectl get secrets --sort-by=.data.password
kubectl config view --raw
kubectl config view
kubectl create token builder
kubectl set env pod/web --list --resolve
kubectl get --raw /api/v1/secrets
kubectl get pods -o jsonpath={.items[*].spec.containers[*].env}
kubectl get pods -o custom-columns=E:.spec.containers[*].env[*].value
kubectl get pods -o jsonpath={..value}
kubectl get pods -o jsonpath={.items[*].spec}
aws secretsmanager get-secret-value --secret-id s
aws secretsmanager batch-get-secret-value --secret-id-list s
aws ssm get-parameter --name p --with-decryption
aws ssm get-parameters --names p --with-decryption
aws ssm get-parameters-by-path --path / --with-decr
aws sts get-session-token
aws sts assume-role --role-arn r --role-session-name s
aws ecr get-login-password
aws ecr get-authorization-token
aws eks get-token --cluster-name c
aws rds generate-db-auth-token --hostname h
aws ec2 get-password-data --instance-id i-1
aws iam create-access-key --user-name u
aws kms decrypt --ciphertext-blob x
aws configure export-credentials
aws configure list
aws sso get-role-credentials --role-name r
aws apigateway get-api-keys --include-values
aws cognito-identity get-credentials-for-identity --identity-id x
aws s3 presign s3://b/k
gcloud auth print-access-token
gcloud auth print-identity-token
gcloud auth application-default print-access-token
gcloud secrets versions access latest --secret=s
gcloud iam service-accounts keys create k.json --iam-account a
gcloud container clusters get-credentials c
gcloud sql generate-login-token
gcloud config config-helper
az account get-access-token
az keyvault secret show --vault-name v -n s
az keyvault secret download --vault-name v -n s
az storage account keys list -n s
az storage account show-connection-string -n s
az acr credential show -n r
az aks get-credentials -g g -n c
az ad sp create-for-rbac
az cosmosdb keys list -n c -g g
az webapp deployment list-publishing-credentials -n w -g g
az redis list-keys -n r -g g
az servicebus namespace authorization-rule keys list -n x
az functionapp keys list -n f -g g
terraform output -json
terraform output -raw password
terraform output password
terraform show -json
terraform state pull
gh auth token
gh auth status --show-token
gh auth status -t
gh secret set X
docker login
docker swarm join-token worker
doctl auth init
doctl kubernetes cluster kubeconfig show c
doctl databases connection 12
doctl databases user get 12 admin
doctl registry docker-config
hcloud server reset-password web
hcloud server request-console web
hcloud context create x
helm get values web --show-secret
"""


def vectors(text: str) -> list[list[str]]:
    return [split(line) for line in text.strip().splitlines()]


def split(line: str) -> list[str]:
    # JSON and templates stand in these lines without quotes, as words of their own.
    return line.split() if "{" in line else shlex.split(line)
