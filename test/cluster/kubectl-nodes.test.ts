/** Goal: kubectl's commands for nodes, certificates and pods that cannot run yet. Method: `./coracle server`, nodes by hand. */
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createSigningRequest } from '#lib/x509/create-signing-request.ts'
import { startServer, type Server } from './harness/cluster.ts'
import { openShell, type Shell } from './harness/shell.ts'

let server: Server
let shell: Shell

before(async () => {
  server = await startServer()
  shell = await openShell(server.kubeconfig, 'shop')
  const spec = { nodeName: 'n1', containers: [{ name: 'c', image: 'example.test/x' }] }
  const items = [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'alone', labels: { app: 'alone' } }, spec },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'kept', labels: { app: 'kept' } }, spec },
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'kept' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'kept' } } },
    },
  ]
  await shell.write('all.json', { apiVersion: 'v1', kind: 'List', items })
  const running = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  await shell.write('running.json', { status: running })
  await shell.expect(
    ['kubectl create -f all.json', /pod\/kept created/],
    ['kubectl patch pod kept --subresource=status --patch-file=running.json', 'pod/kept patched'],
    ['kubectl wait pdb/kept --for=jsonpath={.status.currentHealthy}=1 --timeout=20s', /condition met/],
  )
})
after(() => server[Symbol.asyncDispose]())

test('kubectl taint, cordon and uncordon', () =>
  shell.expect(
    ['kubectl taint nodes n1 a=b:NoSchedule', 'node/n1 tainted'],
    [
      'kubectl taint nodes n1 a=c:NoSchedule',
      'error: node n1 already has a taint(s) with same effect(s) and --overwrite is false',
      1,
    ],
    ['kubectl taint nodes n1 a=c:NoSchedule --overwrite', 'node/n1 modified'],
    ['kubectl taint nodes n1 a-', 'node/n1 untainted'],
    ['kubectl taint nodes none a=b:NoSchedule', 'Error from server (NotFound): nodes "none" not found', 1],
    ['kubectl cordon n1', 'node/n1 cordoned'],
    ['kubectl get nodes', /\nn1 +\w+,SchedulingDisabled +<none> /],
    ['kubectl uncordon n1', 'node/n1 uncordoned'],
    ['kubectl describe node n1', /Unschedulable: +false\n[^]*Non-terminated Pods: +\(2 in total\)/],
  ))

test('kubectl drain evicts what may go and waits for what may not', () =>
  shell.expect(
    ['kubectl drain n1 --dry-run=client', /cannot delete Pods that declare no controller/, 1],
    [
      'kubectl drain n1 --force --grace-period=0 --timeout=2s',
      /pod\/alone evicted[^]*Cannot evict pod as it would violate the pod's disruption budget/,
      1,
    ],
    ['kubectl delete pdb kept', /deleted/],
    ['kubectl drain n1 --force --grace-period=0 --timeout=20s', /pod\/kept evicted\nnode\/n1 drained/],
  ))

test('kubectl certificate approves and denies', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const pem = createSigningRequest({ subject: { commonName: 'u', organizations: ['g'] } }, key)
  const spec = {
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
    request: Buffer.from(pem).toString('base64'),
  }
  const requests = ['yes', 'no'].map((name) => ({
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec,
  }))
  await shell.write('requests.json', { apiVersion: 'v1', kind: 'List', items: requests })
  await shell.expect(
    ['kubectl create -f requests.json', /certificatesigningrequest\.certificates\.k8s\.io\/no created/],
    ['kubectl certificate approve yes', 'certificatesigningrequest.certificates.k8s.io/yes approved'],
    ['kubectl certificate deny no', 'certificatesigningrequest.certificates.k8s.io/no denied'],
    ['kubectl certificate approve no', 'error: certificate signing request "no" is already Denied', 1],
    ['kubectl wait csr/yes --for=jsonpath={.status.certificate} --timeout=20s', /condition met/],
    [
      'kubectl get csr',
      /\nno +\d+s +kubernetes\.io\/kube-apiserver-client +\S+ +<none> +Denied\nyes .* Approved,Issued\n/,
    ],
    ['kubectl describe csr yes', /Common Name: +u\n[^]*Organization: +g\n/],
  )
})

test('kubectl debug adds and copies containers; what needs a node says so', () =>
  shell.expect(
    ['kubectl run idle --image=x --restart=Never', 'pod/idle created'],
    ['kubectl debug idle --image=y -c eph --attach=false', ''],
    ["kubectl get pod idle -o jsonpath='{.spec.ephemeralContainers[*].name}'", 'eph'],
    ['kubectl debug idle --image=y --copy-to=idle2 -c copied --attach=false', ''],
    ["kubectl get pod idle2 -o jsonpath='{.spec.containers[*].name}'", 'idle copied'],
    [
      'kubectl debug node/n1 --image=y --attach=false',
      /^Creating debugging pod node-debugger-n1-\w+ with container debugger on node n1\./,
    ],
    [
      'kubectl exec idle -c idle -- ls',
      'error: unable to upgrade connection: pod idle does not have a host assigned',
      1,
    ],
    ['kubectl logs idle -c idle', ''],
    ['kubectl exec idle -c none -- ls', /container none is not valid for pod idle/, 1],
    ['kubectl exec none -- ls', 'Error from server (NotFound): pods "none" not found', 1],
    [
      'kubectl port-forward idle 1:1',
      'error: unable to forward port because pod is not running. Current status=Pending',
      1,
    ],
    ['kubectl cp all.json none:/x', 'Error from server (NotFound): pods "none" not found', 1],
  ))
