import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessOf } from './kubelet-access.ts'
import { findRoute } from './routes.ts'

test('paths of the kubelet', () => {
  assert.deepEqual(findRoute('/containerLogs/ns/p%20x/c')?.parameters, { namespace: 'ns', pod: 'p x', container: 'c' })
  assert.deepEqual(findRoute('/exec/ns/p/uid/c')?.parameters, { namespace: 'ns', pod: 'p', uid: 'uid', container: 'c' })
  assert.equal(findRoute('/exec/ns/p'), undefined)
  assert.equal(findRoute('/'), undefined)
})

test('what a request means in the words of RBAC', () => {
  const user = { name: 'u', groups: [] }
  const access = (method: string, path: string) => {
    const { verb, subresource } = accessOf({ user, method, path, nodeName: 'n' })
    return `${verb} ${subresource}`
  }
  assert.deepEqual(
    [
      access('GET', '/stats/summary'),
      access('POST', '/exec/ns/p/c'),
      access('GET', '/containerLogs/a/b/c'),
      access('GET', '/pods'),
    ],
    ['get stats', 'create proxy', 'get proxy', 'get pods'],
  )
})
