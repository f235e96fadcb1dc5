/** Goal: kubectl's commands for one change each. Method: the real kubectl against `./coracle server`. */
import { after, before, test } from 'node:test'
import { startServer, type Server } from './harness/cluster.ts'
import { openShell, type Shell } from './harness/shell.ts'

let server: Server
let shell: Shell

before(async () => {
  server = await startServer()
  shell = await openShell(server.kubeconfig, 'shop')
  await shell.expect(
    ['kubectl create cm settings --from-literal=a=1', /created/],
    ['kubectl create deployment web --image=example.test/web:1', /created/],
    ['kubectl create service clusterip web --tcp=80', /created/],
    ['kubectl create role reader --verb=get --resource=pods', /created/],
    ['kubectl create rolebinding readers --role=reader --user=u', /created/],
    ['kubectl wait deployment/web --for=jsonpath={.status.observedGeneration}=1 --timeout=20s', /condition met/],
  )
})
after(() => server[Symbol.asyncDispose]())

test('kubectl label and annotate', () =>
  shell.expect(
    ['kubectl label cm settings a=b', 'configmap/settings labeled'],
    ['kubectl label cm settings a=c', "error: 'a' already has a value (b), and --overwrite is false", 1],
    ['kubectl label cm settings a=c --overwrite', 'configmap/settings labeled'],
    ['kubectl label cm settings a-', 'configmap/settings unlabeled'],
    ['kubectl label cm --all all=yes', /configmap\/settings labeled/],
    ['kubectl annotate cm settings x=y', 'configmap/settings annotated'],
    ['kubectl annotate cm settings x-', 'configmap/settings annotated'],
    ["kubectl get cm settings -o jsonpath='{.metadata.labels}{.metadata.annotations}'", '{"all":"yes"}'],
  ))

test('kubectl set: image, env, resources, serviceaccount, subject, selector', () =>
  shell.expect(
    ['kubectl set image deploy/web web=example.test/web:2', 'deployment.apps/web image updated'],
    ['kubectl set env deploy/web A=B', 'deployment.apps/web env updated'],
    ['kubectl set env deploy/web --from=configmap/settings --prefix=P_', /deployment\.apps\/web env updated/],
    ['kubectl set env deploy/web --list', /\nA=B\n# P_A from configmap settings, key a\n/],
    [
      'kubectl set resources deploy/web --limits=cpu=1 --requests=cpu=100m',
      'deployment.apps/web resource requirements updated',
    ],
    ['kubectl set serviceaccount deploy/web default', 'deployment.apps/web serviceaccount updated'],
    [
      'kubectl set subject rolebinding/readers --user=z',
      'rolebinding.rbac.authorization.k8s.io/readers subjects updated',
    ],
    ['kubectl set selector svc/web a=b', 'service/web selector updated'],
    ['kubectl set image deploy/web none=x', /error: unable to find container named "none"/, 1],
  ))

test('kubectl rollout', () =>
  shell.expect(
    ['kubectl wait deploy/web --for=jsonpath={.status.observedGeneration}=6 --timeout=20s', /condition met/],
    ['kubectl rollout status deploy/web --watch=false', /^Waiting for deployment "web" rollout to finish: /],
    ['kubectl rollout status deploy/web --timeout=300ms', /error: timed out waiting for the condition/, 1],
    ['kubectl rollout history deploy/web', /^deployment\.apps\/web \nREVISION +CHANGE-CAUSE\n1 +<none>\n/],
    [
      'kubectl rollout history deploy/web --revision=1',
      /with revision #1\nPod Template:\n[^]*Image:\texample\.test\/web:1/,
    ],
    ['kubectl rollout pause deploy/web', 'deployment.apps/web paused'],
    ['kubectl rollout restart deploy/web', /error: deployments\.apps "web" can't restart paused deployment/, 1],
    ['kubectl rollout resume deploy/web', 'deployment.apps/web resumed'],
    ['kubectl rollout restart deploy/web', 'deployment.apps/web restarted'],
    ['kubectl rollout undo deploy/web --to-revision=1', 'deployment.apps/web rolled back'],
    ["kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[*].image}'", 'example.test/web:1'],
  ))

test('kubectl wait: for a condition, a value, a creation, a deletion', () =>
  shell.expect(
    ['kubectl wait deploy/web --for=condition=Progressing --timeout=20s', 'deployment.apps/web condition met'],
    [
      'kubectl wait deploy/web --for=condition=Available --timeout=300ms',
      'error: timed out waiting for the condition on deployments/web',
      1,
    ],
    ['kubectl wait deploy/web --for=jsonpath={.spec.replicas}=1 --timeout=20s', 'deployment.apps/web condition met'],
    [
      '(kubectl wait cm/late --for=create --timeout=20s >waited 2>&1 & echo $! >pid) && kubectl create cm late && ' +
        'while kill -0 $(cat pid) 2>/dev/null; do sleep 0.05; done; cat waited',
      'configmap/late created\nconfigmap/late condition met',
    ],
    [
      '(kubectl wait cm/late --for=delete --timeout=20s >waited 2>&1 & echo $! >pid) && sleep 0.3 && kubectl delete cm late && ' +
        'while kill -0 $(cat pid) 2>/dev/null; do sleep 0.05; done; cat waited',
      /"late" deleted from shop namespace\nconfigmap\/late condition met/,
    ],
    ['kubectl wait cm/none --for=create --timeout=300ms', /timed out waiting for the condition/, 1],
  ))

test('kubectl auth reconcile adds what is missing', async () => {
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'watch'] }]
  const metadata = { name: 'reader', namespace: 'shop' }
  await shell.write('role.json', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules })
  await shell.expect(
    ['kubectl auth reconcile -f role.json', /^role\.rbac\.authorization\.k8s\.io\/reader reconciled\n/],
    ["kubectl get role reader -o jsonpath='{.rules[*].verbs}'", /"watch"/],
  )
})

test('kubectl delete: by name, selector and field, dry, and with what hangs on it or without', () =>
  shell.expect(
    ['kubectl run a --image=x --labels=all=yes', 'pod/a created'],
    ['kubectl run b --image=x --labels=all=yes', 'pod/b created'],
    ['kubectl run c --image=x --labels=all=yes', 'pod/c created'],
    ['kubectl delete pod a --dry-run=server', 'pod "a" deleted from shop namespace (server dry run)'],
    ['kubectl delete pods --field-selector=metadata.name=a --now', 'pod "a" deleted from shop namespace'],
    [
      'kubectl delete pods -l all=yes --grace-period=0 --force',
      /pod "b" force deleted from shop namespace\npod "c" force deleted/,
    ],
    ['kubectl delete cm none', 'Error from server (NotFound): configmaps "none" not found', 1],
    ['kubectl delete cm none --ignore-not-found', ''],
    ['kubectl delete deploy web --cascade=orphan', 'deployment.apps "web" deleted from shop namespace'],
    ['kubectl get rs -o name', /^(replicaset\.apps\/web-\w+\n)+$/],
    ['kubectl delete rs --all --cascade=foreground --timeout=20s', /"web-\w+" deleted/],
    ['kubectl wait pods --all --for=delete --timeout=20s', ''],
    ['kubectl delete ns shop --timeout=30s', 'namespace "shop" deleted'],
    ['kubectl get ns shop', 'Error from server (NotFound): namespaces "shop" not found', 1],
  ))
