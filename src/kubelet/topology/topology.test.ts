import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/types/core.v1.ts'
import type { ResourceHints, TopologyHint } from './hint.ts'
import { mergeHints, type TopologyPolicy } from './merge-hints.ts'
import { readTopology } from './read-topology.ts'
import type { ResourceManager } from './resource-manager.ts'
import { TopologyManager } from './topology-manager.ts'

/** `0 !` is a preferred hint for node 0, `01` one for both that is not; `*` any node. */
function hint(text: string): TopologyHint {
  const [nodes = '', mark] = text.split(' ')
  return { ...(nodes !== '*' && { nodes: new Set(nodes.split('').map(Number)) }), isPreferred: mark === '!' }
}

function show({ nodes, isPreferred }: TopologyHint): string {
  return `${nodes === undefined ? '*' : [...nodes].toSorted((a, b) => a - b).join('')}${isPreferred ? ' !' : ''}`
}

type Lists = readonly (readonly string[] | undefined)[]
const cpuAndDevice: Lists = [
  ['0 !', '1 !', '01'],
  ['1 !', '01'],
]
const merges: readonly [policy: TopologyPolicy, lists: Lists, place: string, isAdmitted: boolean][] = [
  ['best-effort', cpuAndDevice, '1 !', true],
  ['restricted', cpuAndDevice, '1 !', true],
  ['single-numa-node', cpuAndDevice, '1 !', true],
  ['best-effort', [['0 !'], ['1 !']], '01', true],
  ['restricted', [['0 !'], ['1 !']], '01', false],
  ['restricted', [['01 !'], ['01 !']], '01 !', true],
  ['single-numa-node', [['01 !']], '01', false],
  ['restricted', [['0 !', '01'], ['01 !']], '01', false],
  ['restricted', [undefined, ['1 !']], '1 !', true],
  ['restricted', [[], ['1 !']], '1', false],
  ['best-effort', [[]], '01', true],
  ['single-numa-node', [], '* !', true],
  ['single-numa-node', [undefined], '* !', true],
  ['restricted', [], '01 !', true],
  ['restricted', [['1 !', '0 !']], '0 !', true],
]
for (const [policy, lists, place, isAdmitted] of merges) {
  test(`${policy}: ${JSON.stringify(lists)} is ${place}`, () => {
    const hints = lists.map((list, index): ResourceHints => ({ [`r${index}`]: list?.map(hint) }))
    const merged = mergeHints({ policy, nodes: [0, 1], hints })
    assert.deepEqual([show(merged), merged.isAdmitted], [place, isAdmitted])
  })
}

test('nearer nodes win where distance counts', () => {
  const hints = [{ cpu: ['01 !', '02 !', '12 !'].map(hint) }]
  const distance = (nodes: ReadonlySet<number>): number => (nodes.has(1) && nodes.has(2) ? 11 : 20)
  assert.equal(show(mergeHints({ policy: 'restricted', nodes: [0, 1, 2], hints })), '01 !')
  assert.equal(show(mergeHints({ policy: 'restricted', nodes: [0, 1, 2], hints, distance })), '12 !')
})

function files(texts: Readonly<Record<string, string>>) {
  return {
    text: async (path: string) => texts[path.replace('/sys/devices/system/', '')],
    names: async (path: string) => {
      const folder = `${path.replace('/sys/devices/system/', '')}/`
      return [
        ...new Set(
          Object.keys(texts).flatMap((each) =>
            each.startsWith(folder) ? [each.slice(folder.length).split('/')[0] ?? ''] : [],
          ),
        ),
      ]
    },
  }
}

const threads = (cpu: number, socket: number, siblings: string): Readonly<Record<string, string>> => ({
  [`cpu/cpu${cpu}/topology/physical_package_id`]: `${socket}\n`,
  [`cpu/cpu${cpu}/topology/thread_siblings_list`]: `${siblings}\n`,
})

test('the machine as the kernel describes it', async () => {
  const two = files({
    'cpu/online': '0-3\n',
    ...threads(0, 0, '0,2'),
    ...threads(1, 1, '1,3'),
    ...threads(2, 0, '0,2'),
    ...threads(3, 1, '1,3'),
    'node/online': '0-1\n',
    'node/node0/cpulist': '0,2\n',
    'node/node0/meminfo': 'Node 0 MemTotal:       1024 kB\n',
    'node/node0/distance': '10 21\n',
    'node/node0/hugepages/hugepages-2048kB/nr_hugepages': '3\n',
    'node/node1/cpulist': '1,3\n',
    'node/node1/meminfo': 'Node 1 MemTotal:       2048 kB\n',
    'node/node1/distance': '21 10\n',
  })
  const { cpus, nodes } = await readTopology(two, 0)
  assert.deepEqual(
    cpus.map(({ cpu, core, socket, node }) => [cpu, core, socket, node].join()),
    ['0,0,0,0', '1,1,1,1', '2,0,0,0', '3,1,1,1'],
  )
  assert.deepEqual(
    nodes.map(({ memoryBytes, hugePages, distances }) => [memoryBytes, [...hugePages], [...distances]]),
    [
      [
        1024 ** 2,
        [[2048 * 1024, 3]],
        [
          [0, 10],
          [1, 21],
        ],
      ],
      [
        2 * 1024 ** 2,
        [],
        [
          [0, 21],
          [1, 10],
        ],
      ],
    ],
  )
  const flat = await readTopology(files({ 'cpu/online': '0', ...threads(0, -1, '0') }), 77)
  assert.deepEqual([flat.cpus, flat.nodes[0]?.memoryBytes], [[{ cpu: 0, core: 0, socket: 0, node: 0 }], 77])
  await assert.rejects(readTopology(files({ 'cpu/online': '0' }), 1), /does not tell where CPU 0 is/)
})

function recording(calls: string[], hints: ResourceHints): ResourceManager {
  return {
    holders: [],
    begin: () => undefined,
    containerHints: () => hints,
    podHints: () => hints,
    async allocate({ container }, nodes) {
      calls.push(`${container.name} ${nodes === undefined ? '*' : [...nodes].join()}`)
    },
    saved: async () => undefined,
  }
}

const asking = { spec: { initContainers: [{ name: 'i' }], containers: [{ name: 'c' }] } } as unknown as Pod
const node = (id: number) => ({ id, memoryBytes: 1, hugePages: new Map(), distances: new Map() })

for (const [policy, scope, calls] of [
  ['none', 'container', ['i *', 'c *']],
  ['restricted', 'container', ['i 1', 'c 1']],
  ['restricted', 'pod', ['i 1', 'c 1']],
] as const) {
  test(`containers get their things one by one: ${policy} by ${scope}`, async () => {
    const made: string[] = []
    const managers = [recording(made, { cpu: [hint('1 !')] })]
    const settings = { policy, scope, prefersClosestNodes: true, maximumNodes: 8 }
    await new TopologyManager({ settings, nodes: [node(0), node(1)], managers }).admit(asking, new Set())
    assert.deepEqual(made, calls)
  })
}

test('a pod that would be spread is refused where that is not wanted', async () => {
  const managers = [recording([], { cpu: [hint('0 !')] }), recording([], { gpu: [hint('1 !')] })]
  const settings = { policy: 'restricted', scope: 'container', prefersClosestNodes: false, maximumNodes: 8 } as const
  const refused = new TopologyManager({ settings, nodes: [node(0), node(1)], managers }).admit(asking, new Set())
  await assert.rejects(refused, {
    reason: 'TopologyAffinityError',
    message: 'Resources cannot be allocated with Topology locality',
  })
})
