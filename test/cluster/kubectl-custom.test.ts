/** Goal: custom resources are like any other to kubectl. Method: the real kubectl against `./coracle server`. */
import { after, before, test } from 'node:test'
import { startServer, type Server } from './harness/cluster.ts'
import { openShell, type Shell } from './harness/shell.ts'

let server: Server
let shell: Shell

const integer = { type: 'integer' }
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', shortNames: ['wd'], categories: ['all'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
        },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        selectableFields: [{ jsonPath: '.spec.size' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'A widget.',
            properties: {
              spec: {
                type: 'object',
                properties: { size: { ...integer, description: 'How big.' }, replicas: integer },
              },
              status: { type: 'object', properties: { replicas: integer } },
            },
          },
        },
      },
    ],
  },
}
const widget = (size: unknown): object => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'w' },
  spec: { size, replicas: 1 },
})

before(async () => {
  server = await startServer()
  shell = await openShell(server.kubeconfig, 'shop')
  await shell.write('definition.json', definition)
  await shell.write('widget.json', widget(3))
  await shell.expect(
    ['kubectl create -f definition.json', /widgets\.example\.com created/],
    ['kubectl wait crd/widgets.example.com --for=condition=Established --timeout=20s', /condition met/],
  )
})
after(() => server[Symbol.asyncDispose]())

test('a custom resource is explained, applied, shown, scaled, changed and removed', async () => {
  await shell.expect(
    [
      'kubectl explain widget --recursive',
      /^GROUP: +example\.com\nKIND: +Widget\n[^]*A widget\.[^]*\n {2}spec\t<Object>\n {4}replicas\t<integer>\n {4}size\t<integer>\n/,
    ],
    ['kubectl explain widget.spec.size', /How big\./],
    ['kubectl apply -f widget.json', 'widget.example.com/w created'],
    ['kubectl get wd', /^NAME +SIZE\nw +3\n$/],
    ['kubectl get all', /widget\.example\.com\/w +3/],
    ['kubectl get wd --field-selector spec.size=3 -o name', 'widget.example.com/w'],
    ['kubectl get wd --field-selector spec.none=3', /field label not supported: spec\.none/, 1],
    ['kubectl scale wd/w --replicas=5', 'widget.example.com/w scaled'],
    ['kubectl get wd w -o jsonpath={.spec}', '{"replicas":5,"size":3}'],
    ['kubectl describe wd w', /API Version: +example\.com\/v1\n[^]*Spec:\n {2}Replicas: +5\n {2}Size: +3\n/],
    [
      'kubectl apply --server-side -f widget.json',
      /conflict with "kubectl" with subresource "scale" using example\.com\/v1: \.spec\.replicas/,
      1,
    ],
    [
      `kubectl patch wd w -p '{"spec":{"size":5}}'`,
      /application\/strategic-merge-patch\+json is not supported by example\.com\/v1, Kind=Widget/,
      1,
    ],
    [
      `kubectl patch wd w --type=merge -p '{"spec":{"size":"x"}}'`,
      /The Widget "w" is invalid: spec\.size: Invalid value: "string": spec\.size in body must be of type integer: "string"/,
      1,
    ],
    [
      `kubectl patch wd w --subresource=status --type=merge -p '{"status":{"replicas":2}}'`,
      'widget.example.com/w patched',
    ],
    ['kubectl wait wd/w --for=jsonpath={.status.replicas}=2 --timeout=20s', 'widget.example.com/w condition met'],
    ['kubectl label wd w a=b', 'widget.example.com/w labeled'],
  )
  await shell.write('widget.json', widget(4))
  await shell.expect(
    ['kubectl diff -f widget.json', /\n-  size: 3\n[^]*\n\+  size: 4\n/, 1],
    ['kubectl apply -f widget.json', 'widget.example.com/w configured'],
    [
      'kubectl delete crd widgets.example.com --timeout=20s',
      'customresourcedefinition.apiextensions.k8s.io "widgets.example.com" deleted',
    ],
    ['kubectl get wd', /doesn't have a resource type "wd"|could not find the requested resource/, 1],
  )
})
