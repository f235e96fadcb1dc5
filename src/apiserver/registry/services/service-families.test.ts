import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '#api/kind.ts'
import type { Service } from '#api/types/core.v1.ts'
import { fillFamilies } from './service-families.ts'

type Spec = Draft<Service>['spec']

function tried(spec: Spec, served: readonly ('IPv4' | 'IPv6')[] = ['IPv4'], old?: Spec): readonly string[] {
  const draft = { metadata: { name: 'x' }, spec } as unknown as Draft<Service>
  const before = old === undefined ? undefined : ({ metadata: { name: 'x' }, spec: old } as unknown as Service)
  const errors = fillFamilies(draft, before, served)
  if (errors.length > 0) return errors.map(({ field, message }) => `${field}: ${message}`)
  return [spec.ipFamilyPolicy ?? '', ...(spec.ipFamilies ?? [])]
}

const both = ['IPv4', 'IPv6'] as const
const addresses = ['10.0.0.1', 'fd00::1']
const pair: Spec = {
  clusterIP: '10.0.0.1',
  clusterIPs: addresses,
  ipFamilies: [...both],
  ipFamilyPolicy: 'PreferDualStack',
}

test('the families of a service and their policy', () => {
  const selector = { app: 'a' }
  const cases: readonly [Spec, readonly ('IPv4' | 'IPv6')[], readonly string[]][] = [
    [{}, ['IPv4'], ['SingleStack', 'IPv4']],
    [{}, ['IPv6'], ['SingleStack', 'IPv6']],
    [{ ipFamilyPolicy: 'PreferDualStack' }, ['IPv4'], ['PreferDualStack', 'IPv4']],
    [{ ipFamilyPolicy: 'PreferDualStack' }, both, ['PreferDualStack', 'IPv4', 'IPv6']],
    [{ ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] }, both, ['RequireDualStack', 'IPv6', 'IPv4']],
    [{ clusterIP: 'None', clusterIPs: ['None'] }, ['IPv4'], ['RequireDualStack', 'IPv4', 'IPv6']],
    [{ clusterIP: 'None', clusterIPs: ['None'], selector }, ['IPv4'], ['SingleStack', 'IPv4']],
    [{ clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] }, both, ['SingleStack', 'IPv6']],
    [
      { ipFamilyPolicy: 'RequireDualStack' },
      ['IPv4'],
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
    [{ ipFamilies: ['IPv6'] }, ['IPv4'], ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']],
    [
      { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] },
      ['IPv4'],
      ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster'],
    ],
    [
      { clusterIP: '10.0.0.1', clusterIPs: addresses, ipFamilies: [...both] },
      both,
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
      ],
    ],
    [
      { ipFamilies: ['IPv5' as 'IPv4'] },
      ['IPv4'],
      ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"'],
    ],
  ]
  for (const [spec, served, expected] of cases) assert.deepEqual(tried(spec, served), expected)
})

test('the second family is given up on request only', () => {
  const single = { ...structuredClone(pair), ipFamilyPolicy: 'SingleStack' as const }
  assert.deepEqual(tried(single, both, pair), ['SingleStack', 'IPv4'])
  assert.deepEqual(single.clusterIPs, ['10.0.0.1'])
  const reduced = { ...structuredClone(pair), clusterIPs: ['10.0.0.1'] }
  assert.deepEqual(tried(reduced, both, pair), [
    'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be \'SingleStack\' to release the secondary cluster IP',
  ])
})
