/** Goal: `kubectl create` makes every kind that it has a command for. Method: the real kubectl against `./coracle server`. */
import { after, before, test } from 'node:test'
import { loadOrCreatePki } from '#apiserver/certificates/pki.ts'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { startServer, type Server } from './harness/cluster.ts'
import { openShell, type Shell, type Step } from './harness/shell.ts'

let server: Server
let shell: Shell

before(async () => {
  server = await startServer()
  shell = await openShell(server.kubeconfig, 'shop')
  const pki = loadOrCreatePki(undefined, { clock: systemClock, random: systemRandom, names: [], ips: [] })
  await shell.write('tls.crt', pki.serving.certificate)
  await shell.write('tls.key', pki.serving.key)
})
after(() => server[Symbol.asyncDispose]())

/** The words after `kubectl create`, and what it prints. */
const creations: readonly Step[] = [
  ['configmap cm --from-literal=a=1 --from-file=tls.crt', 'configmap/cm created'],
  ['secret generic plain --from-literal=p=x', 'secret/plain created'],
  ['secret tls pair --cert=tls.crt --key=tls.key', 'secret/pair created'],
  ['secret docker-registry pull --docker-username=u --docker-password=p', 'secret/pull created'],
  ['deployment web --image=example.test/web --replicas=2 --port=80', 'deployment.apps/web created'],
  ['job once --image=example.test/job -- true', 'job.batch/once created'],
  ["cronjob often --image=example.test/job --schedule='*/5 * * * *' -- date", 'cronjob.batch/often created'],
  ['job now --from=cronjob/often', 'job.batch/now created'],
  ['role reader --verb=get,list --resource=pods,deployments.apps', 'role.rbac.authorization.k8s.io/reader created'],
  ['rolebinding readers --role=reader --user=u --group=g', 'rolebinding.rbac.authorization.k8s.io/readers created'],
  ['clusterrole nodes --verb=get --resource=nodes', 'clusterrole.rbac.authorization.k8s.io/nodes created'],
  ['clusterrole health --verb=get --non-resource-url=/h', 'clusterrole.rbac.authorization.k8s.io/health created'],
  ['clusterrole sum --aggregation-rule=a=b', 'clusterrole.rbac.authorization.k8s.io/sum created'],
  [
    'clusterrolebinding all --clusterrole=nodes --user=u --serviceaccount=shop:sa',
    'clusterrolebinding.rbac.authorization.k8s.io/all created',
  ],
  ['service clusterip inner --tcp=80:8080', 'service/inner created'],
  ['service clusterip bare --clusterip=None', 'service/bare created'],
  ['service nodeport outer --tcp=80', 'service/outer created'],
  ['service loadbalancer balanced --tcp=80', 'service/balanced created'],
  ['service externalname far --external-name=example.com', 'service/far created'],
  ["ingress in --rule='foo.com/bar*=inner:80,tls=pair'", 'ingress.networking.k8s.io/in created'],
  ['pdb few --selector=app=web --min-available=1', 'poddisruptionbudget.policy/few created'],
  ['priorityclass urgent --value=1000 --description=x', 'priorityclass.scheduling.k8s.io/urgent created'],
  ['quota limit --hard=configmaps=9,pods=10', 'resourcequota/limit created'],
  ['serviceaccount sa', 'serviceaccount/sa created'],
  ['namespace other', 'namespace/other created'],
]

for (const [words, printed] of creations) {
  test(`kubectl create ${words}`, () => shell.expect([`kubectl create ${words}`, printed]))
}

test('a token is made for a service account', () =>
  shell.expect(
    ['kubectl create token sa --duration=10m', /^[\w-]+\.[\w-]+\.[\w-]+\n?$/],
    ['kubectl create token none', 'error: failed to create token: serviceaccounts "none" not found', 1],
  ))

test('what is there is not made again, and what is wrong is refused', () =>
  shell.expect(
    ['kubectl create configmap cm', 'error: failed to create configmap: configmaps "cm" already exists', 1],
    [
      'kubectl create deployment Bad --image=x',
      /^error: failed to create deployment: Deployment\.apps "Bad" is invalid: metadata\.name: Invalid value: "Bad": a lowercase RFC 1123 subdomain/,
      1,
    ],
    ['kubectl create configmap dry --dry-run=server', 'configmap/dry created (server dry run)'],
    ['kubectl get configmap dry', 'Error from server (NotFound): configmaps "dry" not found', 1],
    ['kubectl create configmap out -o jsonpath={.metadata.uid} --from-literal=a=1', /^[0-9a-f-]{36}$/],
  ))

test('a pod is run, and refused where it has no image', () =>
  shell.expect(
    ['kubectl run one --image=example.test/x --labels=a=b --env=X=1 --port=80 --restart=Never', 'pod/one created'],
    [
      "kubectl get pod one -o jsonpath='{.spec.restartPolicy} {.spec.containers[0].env}'",
      'Never [{"name":"X","value":"1"}]',
    ],
    ['kubectl run two --image=" "', /Invalid image name " "/, 1],
  ))

test('a workload is exposed, scaled and scaled by itself', () =>
  shell.expect(
    ['kubectl expose deployment web --port=80 --target-port=8080', 'service/web exposed'],
    ["kubectl get service web -o jsonpath='{.spec.selector} {.spec.ports[0].targetPort}'", '{"app":"web"} 8080'],
    ['kubectl scale deployment web --replicas=3', 'deployment.apps/web scaled'],
    ['kubectl scale deployment web --replicas=4 --current-replicas=9', /^error: Expected replicas to be 9, was 3/, 1],
    ['kubectl get deployment web --subresource=scale', /^NAME +DESIRED +AVAILABLE +AGE\nweb +3 +\d +\d+s/],
    [
      'kubectl autoscale deployment web --min=1 --max=5 --cpu=80%',
      'horizontalpodautoscaler.autoscaling/web autoscaled',
    ],
    ['kubectl get hpa web -o jsonpath={.spec.metrics[0].resource.target.averageUtilization}', '80'],
  ))
