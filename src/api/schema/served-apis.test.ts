import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChoiceError } from '../choices.ts'
import { builtInCatalog } from './catalog.ts'
import { chooseApis } from './served-apis.ts'

const trust = 'certificates.k8s.io/v1beta1'
const bothGates = ['ClusterTrustBundle=true', 'PodCertificateRequest=true']

function served(runtimeConfig: string[], featureGates: string[] = []): string[] {
  const { catalog } = chooseApis({ runtimeConfig, featureGates })
  return catalog.inVersion('certificates.k8s.io', 'v1beta1').map(({ plural }) => plural)
}

test('nobody chooses: the usual catalog', () => {
  assert.equal(chooseApis({ runtimeConfig: [], featureGates: [] }).catalog, builtInCatalog())
})

test('an optional resource takes its version and its feature, and may be left out by name', () => {
  const cases: readonly (readonly [string[], string[], string[]])[] = [
    [[`${trust}=true`], [], []],
    [[], bothGates, []],
    [[`${trust}=true`], bothGates, ['clustertrustbundles', 'podcertificaterequests']],
    [[trust], ['ClusterTrustBundle=true'], ['clustertrustbundles']],
    [['api/beta=true'], ['AllBeta=1'], ['clustertrustbundles', 'podcertificaterequests']],
    [['api/all=true'], bothGates, ['clustertrustbundles', 'podcertificaterequests']],
    [['api/all=true', 'api/beta=false'], bothGates, []],
    [[`${trust}/podcertificaterequests=true`], bothGates, ['podcertificaterequests']],
    [[`${trust}=true`, `${trust}/podcertificaterequests=false`], bothGates, ['clustertrustbundles']],
  ]
  for (const [config, gates, wanted] of cases) assert.deepEqual(served(config, gates), wanted, config.join())
})

test('discovery names the new version behind the stable one, with the subresources of its resources', () => {
  const { catalog } = chooseApis({ runtimeConfig: [`${trust}=true`], featureGates: bothGates })
  const group = catalog.groups.find(({ name }) => name === 'certificates.k8s.io')
  assert.deepEqual(group, { name: 'certificates.k8s.io', versions: ['v1', 'v1beta1'], preferred: 'v1' })
  const rows = catalog.rows('certificates.k8s.io', 'v1beta1')
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['clustertrustbundles', 'podcertificaterequests', 'podcertificaterequests/status'],
  )
  assert.ok(!rows.some((row) => 'featureGate' in row))
})

test('stable versions can be taken away', () => {
  const { catalog } = chooseApis({ runtimeConfig: ['batch/v1=false', 'apps/v1/daemonsets=false'], featureGates: [] })
  assert.equal(catalog.find('batch', 'v1', 'jobs'), undefined)
  assert.ok(!catalog.groups.some(({ name }) => name === 'batch'))
  assert.equal(catalog.find('apps', 'v1', 'daemonsets'), undefined)
  assert.equal(catalog.find('apps', 'v1', 'deployments')?.kind, 'Deployment')
  assert.equal(catalog.find('', 'v1', 'pods')?.kind, 'Pod')
})

test('what there is not is refused in the words of Kubernetes', () => {
  const cases: readonly (readonly [string[], string[], string])[] = [
    [['foo.example=true', 'bar/v1'], [], 'unknown api groups foo.example,bar'],
    [['apps/v9=true'], [], 'group version apps/v9 that has not been registered'],
    [['apps/v1/nothings=true'], [], 'group version apps/v1 has no resource nothings'],
    [['apps/v1=maybe'], [], 'invalid value of apps/v1: maybe, err: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [['api/all=false'], [], 'invalid key with only api/all=false'],
    [[], ['Nothing=true'], 'unrecognized feature gate: Nothing'],
    [[], ['ClusterTrustBundle'], 'missing bool value for ClusterTrustBundle'],
    [
      [],
      ['ClusterTrustBundle=on'],
      'invalid value of ClusterTrustBundle=on, err: strconv.ParseBool: parsing "on": invalid syntax',
    ],
    [
      [],
      ['ClusterTrustBundleProjection=true'],
      'ClusterTrustBundleProjection is enabled, but depends on features that are disabled: [ClusterTrustBundle]',
    ],
  ]
  for (const [runtimeConfig, featureGates, message] of cases) {
    assert.throws(() => chooseApis({ runtimeConfig, featureGates }), new ChoiceError(message))
  }
})
