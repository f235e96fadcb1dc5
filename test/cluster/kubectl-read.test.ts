/** Goal: whatever kubectl can show, it shows. Method: the real kubectl against `./coracle server`. */
import { after, before, test } from 'node:test'
import { startServer, type Server } from './harness/cluster.ts'
import { openShell, type Shell } from './harness/shell.ts'

let server: Server
let shell: Shell

const labels = { app: 'web' }
const podSpec = { containers: [{ name: 'c', image: 'example.test/x', resources: { requests: { cpu: '10m' } } }] }
const pod = (name: string, app: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app } },
  spec: podSpec,
})

before(async () => {
  server = await startServer()
  shell = await openShell(server.kubeconfig, 'shop')
  const items = [
    pod('a', 'x'),
    pod('b', 'y'),
    pod('c', 'x'),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: labels, ports: [{ port: 80 }] } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { greeting: 'hello' } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { password: 'sesame' } },
  ]
  await shell.write('all.json', { apiVersion: 'v1', kind: 'List', items })
  await shell.expect(
    ['kubectl create -f all.json', /deployment\.apps\/web created/],
    ['kubectl wait deployment/web --for=jsonpath={.status.replicas}=1 --timeout=20s', /condition met/],
  )
})
after(() => server[Symbol.asyncDispose]())

test('kubectl get: tables, wide, of all namespaces, with labels', () =>
  shell.expect(
    ['kubectl get pods a b c', /^NAME +READY +STATUS +RESTARTS +AGE\na +0\/1 +Pending +0 +\d+s\nb .*\nc .*\n$/],
    ['kubectl get pods -o wide', /^NAME .* IP +NODE +NOMINATED NODE +READINESS GATES\na .* <none> +<none> +<none>/],
    ['kubectl get pods -A', /^NAMESPACE +NAME .*\nshop +a /],
    ['kubectl get pods -L app --no-headers a', /^a .* x\n$/],
    ['kubectl get pods --show-labels a', /LABELS\n.*app=x\n$/],
    ['kubectl get pods -l app=x -o name', 'pod/a\npod/c'],
    ["kubectl get pods -l 'app in (y),app' -o name", 'pod/b'],
    ['kubectl get pods --field-selector=metadata.name=b -o name', 'pod/b'],
    ['kubectl get pods --field-selector=status.phase!=Pending', 'No resources found in shop namespace.'],
    ['kubectl get pods --chunk-size=1 -o name -l app', /^pod\/a\npod\/b\npod\/c\n/],
    ['kubectl get pods --sort-by=.metadata.name -o name', /^pod\/a\npod\/b\npod\/c\n/],
    ['kubectl get all', /pod\/a .*[^]*service\/web [^]*deployment\.apps\/web [^]*replicaset\.apps\/web-/],
    [
      'kubectl get svc,deploy',
      /service\/web +ClusterIP +10\.[\d.]+ +<none> +80\/TCP[^]*deployment\.apps\/web +0\/1 +1 +0/,
    ],
    ['kubectl get --raw /api/v1/namespaces/shop/configmaps/settings', /"greeting":"hello"/],
  ))

test('kubectl get: yaml, json, jsonpath, templates, columns', () =>
  shell.expect(
    [
      'kubectl get cm settings -o yaml',
      /^apiVersion: v1\ndata:\n {2}greeting: hello\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "/,
    ],
    [
      'kubectl get cm settings -o yaml --show-managed-fields',
      /managedFields:\n {2}- apiVersion: v1\n {4}fieldsType: FieldsV1/,
    ],
    ['kubectl get cm settings -o json', /^\{\n {4}"apiVersion": "v1",\n {4}"data": \{/],
    [
      "kubectl get pods a b -o jsonpath='{range .items[*]}{.metadata.name}={.status.qosClass} {end}'",
      'a=Burstable b=Burstable',
    ],
    ["kubectl get pods a -o go-template='{{.spec.nodeName}}{{len .spec.containers}}'", '<no value>1'],
    [
      "kubectl get pods a b -o custom-columns='N:.metadata.name,I:.spec.containers[*].image'",
      /^N +I\na +example\.test\/x\nb +example\.test\/x\n$/,
    ],
    ['kubectl get secret key -o jsonpath={.data.password}', 'c2VzYW1l'],
    ['kubectl get deployment web --subresource=status -o jsonpath={.kind}', 'Deployment'],
    ['kubectl get deployment web --subresource=scale -o jsonpath={.kind}{.spec.replicas}', 'Scale1'],
  ))

test('kubectl get: what is not there and what cannot be', () =>
  shell.expect(
    ['kubectl get nothing', 'error: the server doesn\'t have a resource type "nothing"', 1],
    ['kubectl get pods none', 'Error from server (NotFound): pods "none" not found', 1],
    ['kubectl get pods none --ignore-not-found', ''],
    [
      'kubectl get pods --field-selector=metadata.nme=a',
      'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", ' +
        'field selector "metadata.nme=a": field label not supported: metadata.nme',
      1,
    ],
    ["kubectl get pods -l 'a=(b'", /unable to parse requirement: found '\(', expected/, 1],
    ['kubectl get pods a --server-print=false', /^NAME +AGE\na +\d+s\n$/],
  ))

test('kubectl get --watch follows what happens', () =>
  shell.expect(
    [
      '(kubectl get cm --watch --output-watch-events -o name --request-timeout=20s >seen 2>&1 & echo $! >pid) && ' +
        'until grep -q settings seen; do sleep 0.05; done; kubectl create cm live && kubectl delete cm live && ' +
        'until [ $(grep -c live seen) = 2 ]; do sleep 0.05; done; kill $(cat pid); grep live seen',
      /configmap\/live created\nconfigmap "live" deleted.*\nconfigmap\/live\nconfigmap\/live\n$/,
    ],
    [
      'kubectl get cm settings --watch-only -o name --request-timeout=300ms || true',
      /^(Error.*|.*Timeout.*|error.*|)\n?$/i,
    ],
  ))

test('kubectl describe knows every common kind', () =>
  shell.expect(
    ['kubectl describe pod a', /^Name: +a\n[^]*\nStatus: +Pending\n[^]*QoS Class: +Burstable\n[^]*\nEvents:/],
    ['kubectl describe deployment web', /Replicas: +1 desired \| 1 updated \| 1 total[^]*ScalingReplicaSet/],
    ['kubectl describe rs', /Controlled By: +Deployment\/web[^]*SuccessfulCreate/],
    ['kubectl describe svc web', /^Name: +web\n[^]*Port: +<unset> +80\/TCP\nTargetPort: +80\/TCP/],
    ['kubectl describe cm settings', /greeting:\n----\nhello\n/],
    ['kubectl describe secret key', /password: +6 bytes/],
    ['kubectl describe ns shop', /^Name: +shop\n[^]*Status: +Active/],
    ['kubectl describe sa default', /^Name: +default\n/],
    ['kubectl describe clusterrole view', /pods\/log +\[\] +\[\] +\[get list watch\]/],
    ['kubectl describe clusterrolebinding cluster-admin', /Group +system:masters/],
    ['kubectl describe pc system-node-critical', /Value: +2000001000/],
    ['kubectl describe flowschema exempt', /Matching Precedence: +1\n/],
    ['kubectl describe pod none', 'Error from server (NotFound): pods "none" not found', 1],
  ))

test('kubectl explain knows the fields of every kind', () =>
  shell.expect(
    [
      'kubectl explain pods.spec.containers.resources.limits',
      /^KIND: +Pod\nVERSION: +v1\n\nFIELD: limits <map\[string\]Quantity>\n/,
    ],
    ['kubectl explain --recursive pods', /\n {2}spec\t<PodSpec>\n[^]* {6}livenessProbe\t<Probe>\n/],
    [
      'kubectl explain --recursive deployment.spec.strategy',
      /rollingUpdate\t<RollingUpdateDeployment>\n {4}maxSurge\t<IntOrString>/,
    ],
    ['kubectl explain --recursive crd', /x-kubernetes-preserve-unknown-fields\t<boolean>/],
    ['kubectl explain --recursive hpa', /averageUtilization\t<integer>/],
    [
      'kubectl explain hpa --api-version=autoscaling/v1',
      /targetCPUUtilizationPercentage|configuration of a horizontal pod autoscaler/,
    ],
    [
      'kubectl explain --recursive ingress.spec.rules',
      /pathType\t<string> -required-\n {6}enum: Exact, ImplementationSpecific, Prefix/,
    ],
    ['kubectl explain pods.spec.nothing', /error: field "nothing" does not exist/, 1],
    ['kubectl explain nothing', /the server doesn't have a resource type "nothing"/, 1],
    ['kubectl explain pods --output=plaintext-openapiv2', /^KIND: +Pod\nVERSION: +v1\n/],
  ))

test('kubectl tells what the server is and has', () =>
  shell.expect(
    ['kubectl api-resources', /\nhorizontalpodautoscalers +hpa +autoscaling\/v2 +true +HorizontalPodAutoscaler\n/],
    ['kubectl api-resources --verbs=list --namespaced=false -o name', /\nnodes\n/],
    [
      'kubectl api-resources --api-group=apps --categories=all -o name --sort-by=name',
      'daemonsets.apps\ndeployments.apps\nreplicasets.apps\nstatefulsets.apps',
    ],
    ['kubectl api-versions', /\nbatch\/v1\n/],
    ['kubectl cluster-info', /Kubernetes control plane.* is running at .*https:\/\/127\.0\.0\.1/],
    ['kubectl cluster-info dump', /"kind": "NodeList"/],
    ['kubectl version', /^Client Version: v1\.36\.\d+\nKustomize Version: .*\nServer Version: v1\.36\./],
    ['kubectl events --for deployment/web', /ScalingReplicaSet +Deployment\/web/],
    [
      'kubectl get events --field-selector=involvedObject.name=web,reason=ScalingReplicaSet',
      /deployment\/web +Scaled up/,
    ],
    ['kubectl top pods', 'error: Metrics API not available', 1],
    ["kubectl get --raw '/livez?verbose'", /\[\+\]ping ok\n[^]*livez check passed/],
  ))

test('kubectl auth asks what somebody may do', () =>
  shell.expect(
    ['kubectl auth can-i create pods', 'yes'],
    ['kubectl auth can-i create pods --as=u', 'no', 1],
    ['kubectl auth can-i get pods --subresource=log --as=system:serviceaccount:shop:default', 'no', 1],
    ['kubectl auth can-i --list', /\*\.\* +\[\] +\[\] +\[\*\]/],
    ['kubectl auth can-i --list --as=u', /selfsubjectreviews\.authentication\.k8s\.io +\[\] +\[\] +\[create\]/],
    ['kubectl auth whoami', /Groups +\[system:masters system:authenticated\]/],
    ['kubectl auth whoami --as=u --as-group=g', /Username +u\nGroups +\[g system:authenticated\]/],
  ))

test('kubectl proxy hands requests through', () =>
  shell.expect([
    '(kubectl proxy --port=0 >port 2>&1 & echo $! >pid) && until grep -q Starting port; do sleep 0.05; done; ' +
      "curl -s http://$(sed 's/.* //' port)/api/v1/namespaces/shop/pods/none; kill $(cat pid)",
    /"message": "pods \\"none\\" not found"/,
  ]))
