import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testServer } from '../server.case.ts'

test('the parts of the control plane say how they fare, with a warning that nobody should ask', async () => {
  const problem = 'it sleeps'
  const components = () => [{ name: 'scheduler' }, { name: 'controller-manager', problem }]
  const { call, close } = await testServer({ components })
  const all = await call('GET /api/v1/componentstatuses')
  assert.deepEqual(
    all.object.items.map(({ metadata }) => metadata.name),
    ['scheduler', 'controller-manager', 'etcd-0'],
  )
  assert.match(String(all.headers['warning']), /v1 ComponentStatus is deprecated in v1\.19\+/)
  const one = await call('GET /api/v1/componentstatuses/controller-manager')
  assert.deepEqual((one.object as unknown as { conditions: unknown }).conditions, [
    { type: 'Healthy', status: 'False', message: problem },
  ])
  const chosen = await call('GET /api/v1/componentstatuses', { query: 'fieldSelector=metadata.name%3Detcd-0' })
  assert.equal(chosen.object.items.length, 1)
  const none = await call('GET /api/v1/componentstatuses/none')
  assert.deepEqual([none.code, none.object.message], [500, 'Component not found: none'])
  const written = await call('POST /api/v1/componentstatuses', { body: {} })
  assert.equal(written.code, 405)
  await close()
})
