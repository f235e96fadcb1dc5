import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseApis } from '#api/schema/served-apis.ts'
import { createAuthorizers } from '../authz/authorizers.ts'
import { testServer } from '../server.case.ts'

test('the server tells people what it is and how it was started', async () => {
  const { call, clock, close } = await testServer({ flags: { 'secure-port': '6443', 'bind-address': '::' } })
  await clock.advance(3_723_000)
  const status = await call('GET /statusz')
  assert.equal(status.headers['content-type'], 'text/plain; charset=utf-8')
  assert.match(status.text, /^\n\nkube-apiserver statusz\nWarning: This endpoint is not meant to be machine parseable/)
  assert.match(status.text, /\nStarted: \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}\nUp: 1 hr 02 min 03 sec\n/)
  assert.match(status.text, /\nBinary version: 1\.36\.2.*\nEmulation version: 1\.36\nPaths: .*\/livez .*\/statusz/)
  const flags = await call('GET /flagz', { headers: { accept: 'text/plain' } })
  assert.match(flags.text, /^\n\nkube-apiserver flagz\n.*\n\nbind-address=::\nsecure-port=6443\n$/)
  const json = await call('GET /flagz', { headers: { accept: 'application/json' } })
  assert.equal(json.code, 406)
  await close()
})

test('only those may read them who may, and nobody where they are switched off', async () => {
  const guarded = await testServer({ authorizers: createAuthorizers })
  const refused = await guarded.call('GET /flagz', { user: { name: 'alice', groups: ['system:authenticated'] } })
  assert.equal(refused.code, 403)
  await guarded.close()
  const apis = chooseApis({ runtimeConfig: [], featureGates: ['ComponentFlagz=false'] })
  const without = await testServer({ apis })
  assert.deepEqual([(await without.call('GET /flagz')).code, (await without.call('GET /statusz')).code], [404, 200])
  await without.close()
})
