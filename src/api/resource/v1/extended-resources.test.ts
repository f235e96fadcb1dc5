import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../types/core.v1.ts'
import type { DeviceClass } from '../../types/resource.v1.ts'
import { classesByResource, extendedRequests } from './extended-resources.ts'

const gpu = 'example.com/gpu'
const nic = 'example.com/nic'
const classOf = (name: string, creationTimestamp: string, extendedResourceName?: string): DeviceClass =>
  ({ metadata: { name, creationTimestamp }, spec: { extendedResourceName } }) as DeviceClass

test('of several classes for a resource the newest counts, then the first by name', () => {
  const classes = [
    classOf('b', '2024', gpu),
    classOf('a', '2024', gpu),
    classOf('old', '2023', gpu),
    classOf('z', '2023'),
  ]
  const known = classesByResource(classes)
  assert.equal(known.get(gpu)?.metadata.name, 'a')
  assert.equal(known.get('deviceclass.resource.kubernetes.io/z')?.metadata.name, 'z')
  assert.equal(known.size, 5)
})

const container = (name: string, requests: Record<string, string>, restartPolicy?: string) => ({
  ...{ name, resources: { requests } },
  ...(restartPolicy && { restartPolicy }),
})

function requestsOf(spec: object): { requests: readonly string[]; mappings: readonly string[] } {
  const classes = classesByResource([classOf('gpu', '2024', gpu), classOf('nic', '2024', nic)])
  const { requests, mappings } = extendedRequests({ spec } as Pod, [gpu, nic], (name) => classes.get(name))
  return {
    requests: requests.map(({ name, exactly }) => `${name}: ${exactly?.count} ${exactly?.deviceClassName}`),
    mappings: mappings.map((each) => `${each.containerName} ${each.resourceName} ${each.requestName}`),
  }
}

test('each container has devices of its own', () => {
  const containers = [container('a', { cpu: '1', [gpu]: '2' }), container('b', { [gpu]: '1', [nic]: '1' })]
  assert.deepEqual(requestsOf({ containers }), {
    requests: ['container-0-request-1: 2 gpu', 'container-1-request-0: 1 gpu', 'container-1-request-1: 1 nic'],
    mappings: [`a ${gpu} container-0-request-1`, `b ${gpu} container-1-request-0`, `b ${nic} container-1-request-1`],
  })
})

test('init containers use what later containers have, and share the rest', () => {
  const initContainers = [
    container('small', { [gpu]: '2' }),
    container('large', { [gpu]: '4' }),
    container('side', { [gpu]: '1' }, 'Always'),
  ]
  const containers = [container('main', { [gpu]: '1' })]
  assert.deepEqual(requestsOf({ initContainers, containers }), {
    requests: ['container-1-request-0: 2 gpu', 'container-2-request-0: 1 gpu', 'container-3-request-0: 1 gpu'],
    mappings: [
      `side ${gpu} container-2-request-0`,
      `main ${gpu} container-3-request-0`,
      `small ${gpu} container-2-request-0`,
      `small ${gpu} container-3-request-0`,
      `large ${gpu} container-2-request-0`,
      `large ${gpu} container-3-request-0`,
      `large ${gpu} container-1-request-0`,
    ],
  })
})
