/** Goal: objects are declared and changed as files say. Method: the real kubectl against `./coracle server`. */
import { after, before, test } from 'node:test'
import { startServer, type Server } from './harness/cluster.ts'
import { openShell, type Shell } from './harness/shell.ts'

let server: Server
let shell: Shell

before(async () => {
  server = await startServer()
  shell = await openShell(server.kubeconfig, 'shop')
})
after(() => server[Symbol.asyncDispose]())

const web = ({ greeting = '1', image = 'example.test/web:1' }): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {part: web}}
data: {greeting: "${greeting}", other: "0"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {part: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "${image}"}]}
`
const settingsOnly = web({}).split('---\n')[0] ?? ''

test('kubectl apply and diff: client-side', async () => {
  await shell.write('web.yaml', web({}))
  await shell.expect(['kubectl apply -f web.yaml', 'configmap/settings created\ndeployment.apps/web created'])
  await shell.write('web.yaml', web({ greeting: '2', image: 'example.test/web:2' }))
  await shell.expect(
    [
      'kubectl diff -f web.yaml',
      /-  generation: 1\n\+  generation: 2\n[^]*-      - image: example\.test\/web:1\n\+      - image: example\.test\/web:2\n[^]*-  greeting: "1"\n\+  greeting: "2"/,
      1,
    ],
    [
      'kubectl apply -f web.yaml --dry-run=server',
      'configmap/settings configured (server dry run)\ndeployment.apps/web configured (server dry run)',
    ],
    ['kubectl apply -f web.yaml', 'configmap/settings configured\ndeployment.apps/web configured'],
    ['kubectl apply -f web.yaml', 'configmap/settings unchanged\ndeployment.apps/web unchanged'],
    ['kubectl diff -f web.yaml', ''],
    ['kubectl apply view-last-applied cm/settings', /data:\n {2}greeting: "2"/],
  )
})

test('kubectl apply --server-side: takes over, conflicts, forces, and back', async () => {
  await shell.expect(
    [
      'kubectl apply --server-side -f web.yaml',
      'configmap/settings serverside-applied\ndeployment.apps/web serverside-applied',
    ],
    ['kubectl apply --server-side --field-manager=other -f web.yaml', /settings serverside-applied/],
  )
  await shell.write('web.yaml', web({ greeting: '3', image: 'example.test/web:3' }))
  await shell.expect(
    [
      'kubectl apply --server-side --field-manager=other -f web.yaml',
      /Apply failed with 1 conflict: conflict with "kubectl": \.data\.greeting\n[^]*Apply failed with 1 conflict: conflict with "kubectl": \.spec\.template\.spec\.containers\[name="c"\]\.image/,
      1,
    ],
    ['kubectl apply --server-side --field-manager=other --force-conflicts -f web.yaml', /web serverside-applied/],
    ['kubectl apply -f web.yaml', 'configmap/settings configured\ndeployment.apps/web configured'],
    ["kubectl get cm settings -o jsonpath='{.metadata.managedFields[*].manager}'", /other/],
  )
})

test('kubectl apply --prune: by label and by apply set', async () => {
  await shell.write('less.yaml', settingsOnly)
  await shell.expect(
    [
      'kubectl apply -f less.yaml --prune -l part=web --prune-allowlist=apps/v1/Deployment',
      'configmap/settings configured\ndeployment.apps/web pruned',
    ],
    [
      'KUBECTL_APPLYSET=true kubectl apply -n shop -f web.yaml --prune --applyset=configmaps/set',
      /deployment\.apps\/web created/,
    ],
    [
      'KUBECTL_APPLYSET=true kubectl apply -n shop -f less.yaml --prune --applyset=configmaps/set',
      /deployment\.apps\/web pruned/,
    ],
    [
      "kubectl get cm set -o jsonpath='{.metadata.annotations.applyset\\.kubernetes\\.io/contains-group-kinds}'",
      'ConfigMap',
    ],
  )
})

test('kubectl apply -k builds and applies', async () => {
  const generators = 'configMapGenerator: [{name: made, literals: [a=b]}]'
  await shell.write('kustomization.yaml', `resources: [less.yaml]\nnamePrefix: k-\n${generators}\n`)
  await shell.expect(
    ['kubectl apply -k .', 'configmap/k-made-4h2mbtbbt6 created\nconfigmap/k-settings created'],
    ['kubectl diff -k .', ''],
    ['kubectl delete -k .', /"k-settings" deleted/],
  )
})

test('unknown and repeated fields are refused, warned of or ignored, as asked for', async () => {
  await shell.write(
    'odd.yaml',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: odd}\ndat: {a: "1"}\ndata: {a: "1"}\n',
  )
  const why = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dat"'
  await shell.expect(
    ['kubectl apply -f odd.yaml', `Error from server (BadRequest): error when creating "odd.yaml": ${why}`, 1],
    [
      'kubectl apply -f odd.yaml --validate=warn',
      /Warning: unknown field "dat"[^]*configmap\/odd created|configmap\/odd created[^]*Warning: unknown field "dat"/,
    ],
    ['kubectl apply -f odd.yaml --validate=false', 'configmap/odd configured'],
    ['kubectl replace -f odd.yaml', `Error from server (BadRequest): error when replacing "odd.yaml": ${why}`, 1],
  )
})

test('kubectl create, replace and replace --force take files', () =>
  shell.expect(
    [
      'kubectl create -f less.yaml',
      /Error from server \(AlreadyExists\): error when creating "less\.yaml": configmaps "settings" already exists/,
      1,
    ],
    ['kubectl replace -f less.yaml', 'configmap/settings replaced'],
    [
      'kubectl replace --force -f less.yaml',
      'configmap "settings" deleted from shop namespace\nconfigmap/settings replaced',
    ],
    [
      'kubectl replace --raw /api/v1/namespaces/shop/configmaps/settings -f /dev/null',
      /couldn't get version\/kind; json parse error: unexpected end of JSON input \(<empty>\)/,
      1,
    ],
    [
      "echo '[]' | kubectl create --raw /api/v1/namespaces/shop/configmaps -f -",
      /cannot unmarshal array into Go value of type struct/,
      1,
    ],
  ))

test('kubectl edit writes what an editor leaves', async () => {
  const editor = (script: string): string => `#!/bin/sh\nsed -i ${JSON.stringify(script)} "$1"\n`
  await shell.write('change', editor('s/greeting:.*/greeting: edited/'))
  await shell.write('nothing', editor('s/x/x/'))
  await shell.write('spoil', editor('s/part: web/part: w e b/'))
  await shell.write('observed', editor('s/^  observedGeneration:.*/  observedGeneration: 1/'))
  await shell.expect(
    ['EDITOR=./change kubectl edit cm settings', 'configmap/settings edited'],
    ['kubectl get cm settings -o jsonpath={.data.greeting}', 'edited'],
    ['EDITOR=./nothing kubectl edit cm settings', 'Edit cancelled, no changes made.'],
    [
      'EDITOR=./spoil kubectl edit cm settings',
      /configmaps "settings" is invalid[^]*Edit cancelled, no valid changes were saved/,
      1,
    ],
  )
})

test('kubectl patch: every type, and subresources', () =>
  shell.expect(
    ['kubectl apply -f web.yaml', /deployment\.apps\/web created/],
    ['kubectl apply set-last-applied -f web.yaml', /deployment\.apps\/web configured/],
    [
      `kubectl patch cm settings --type=json -p '[{"op":"replace","path":"/data/greeting","value":"9"}]'`,
      'configmap/settings patched',
    ],
    [`kubectl patch cm settings --type=merge -p '{"data":{"other":null}}'`, 'configmap/settings patched'],
    [`kubectl patch cm settings --type=merge -p '{"data":{"greeting":"9"}}'`, 'configmap/settings patched (no change)'],
    ['kubectl get cm settings -o jsonpath={.data}', '{"greeting":"9"}'],
    [
      `kubectl patch deploy web -p '{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[{"name":"E","value":"1"}]}]}}}}'`,
      'deployment.apps/web patched',
    ],
    ["kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[*].image}'", 'example.test/web:3'],
    [
      `kubectl patch deploy web --subresource=scale --type=merge -p '{"spec":{"replicas":2}}'`,
      'scale.autoscaling/web patched',
    ],
    [
      `kubectl patch deploy web --subresource=status --type=merge -p '{"status":{"collisionCount":7}}'`,
      'deployment.apps/web patched',
    ],
    [
      `kubectl patch cm settings --type=json -p '[{"op":"remove","path":"/data/none"}]'`,
      /The request is invalid: the server rejected our request due to an error in our request/,
      1,
    ],
    [`kubectl patch pod none -p '{}'`, 'Error from server (NotFound): pods "none" not found', 1],
    [
      `kubectl patch cm settings --type=merge -p '{"data":'`,
      /unexpected (end of JSON input|EOF)|did not find expected/,
      1,
    ],
    ['kubectl patch cm settings -p null', 'configmap/settings patched (no change)'],
  ))
