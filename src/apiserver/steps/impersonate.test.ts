import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decision } from '../authz/authorizer.ts'
import type { AuthorizationAttributes } from '../request-info.ts'
import { testServer } from '../server.case.ts'

/** Allows what stands in the list, as `user verb resource name`. */
function allowing(...allowed: readonly string[]): {
  name: string
  authorize: (asked: AuthorizationAttributes) => Decision
} {
  return {
    name: 'listed',
    authorize: ({ user, verb, resource, name }) => {
      const asked = [user.name, verb, resource, name].join(' ').trim()
      return { decision: allowed.includes(asked) ? 'allow' : 'noOpinion', reason: '' }
    },
  }
}

const boss = { name: 'boss', groups: [] }

async function listPodsAs(allowed: readonly string[], headers: Record<string, string>): Promise<number | string> {
  const server = await testServer({ authorizers: () => [allowing(...allowed)] })
  const { code, object } = await server.call('GET /api/v1/pods', { user: boss, headers })
  await server.close()
  return code === 200 ? code : (/User "(\w+)" cannot (\S+)/.exec(object.message)?.slice(1).join(' ') ?? object.message)
}

test('to act for another takes the right to be each part of it', async () => {
  const eve = { 'impersonate-user': 'eve', 'impersonate-group': 'dev' }
  const rows: readonly (readonly [readonly string[], Record<string, string>, number | string])[] = [
    [['boss impersonate users eve', 'boss impersonate groups dev', 'eve list pods'], eve, 200],
    [['boss impersonate users eve', 'eve list pods'], eve, 'boss impersonate-on:user-info:list'],
    [['boss impersonate users eve', 'boss impersonate groups dev'], eve, 'eve list'],
    [
      [
        'boss impersonate-on:user-info:list pods',
        'boss impersonate:user-info users eve',
        'boss impersonate:user-info groups dev',
        'eve list pods',
      ],
      eve,
      200,
    ],
    [['boss list pods'], {}, 200],
    [[], { 'impersonate-group': 'dev' }, 'requested other information without impersonating a user'],
  ]
  for (const [allowed, headers, expected] of rows) assert.equal(await listPodsAs(allowed, headers), expected)
})
