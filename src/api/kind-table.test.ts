import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom, type Random } from '#lib/random.ts'
import { samples } from './kind-samples.case.ts'
import { kinds } from './kind-table.ts'
import { tryCreate } from './kind-trial.case.ts'
import type { Draft, Kind } from './kind.ts'
import type { KubernetesObject } from './meta/resource.ts'
import { applySchemaDefaults } from './schema/defaults.ts'
import { kindNode } from './schema/node.ts'
import type { ColumnRow, ResourceRow } from './schema/shapes.ts'

function facts<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'schema', name), 'utf8')) as T
}

interface Rows {
  readonly resources: readonly ResourceRow[]
}
type Columns = Readonly<Record<string, readonly ColumnRow[]>>

const optional = facts<Rows & { columns: Columns }>('optional.json')
const resources = [...facts<Rows>('resources.json').resources, ...optional.resources]
const columns = { ...facts<Columns>('columns.json'), ...optional.columns }

function rowOf({ group, version, kind }: Kind): ResourceRow | undefined {
  const groupVersion = group === '' ? version : `${group}/${version}`
  return resources.find((row) => row.groupVersion === groupVersion && row.kind === kind && !row.name.includes('/'))
}

test('every kind of the table is served, and stands there once', () => {
  const rows = kinds.map((kind) => [kind, rowOf(kind)] as const)
  assert.deepEqual(
    rows.filter(([, row]) => row === undefined),
    [],
  )
  const names = rows.map(([, row]) => `${row?.groupVersion}/${row?.name}`)
  assert.deepEqual([...new Set(names)], names)
})

test('a kind prints as many cells as it has columns', () => {
  for (const kind of kinds) {
    const row = rowOf(kind)
    const { object } = tryCreate(kind, samples[kind.kind] ?? {})
    const cells = kind.cells?.(object, Date.parse('2024-01-02T00:00:00Z')) ?? []
    const expected = columns[`${row?.groupVersion}/${row?.name}`] ?? []
    assert.equal(cells.length, expected.length, `${row?.groupVersion} ${kind.kind}`)
    assert.ok(
      cells.every((cell) => cell !== undefined),
      `${kind.kind}: ${JSON.stringify(cells)}`,
    )
  }
})

test('the least valid object is accepted, and filling it in twice changes nothing', () => {
  for (const kind of kinds) {
    const namespace = rowOf(kind)?.namespaced === true ? 'ns' : ''
    const { object, messages } = tryCreate(kind, samples[kind.kind] ?? {}, namespace)
    assert.deepEqual(messages, [], kind.kind)
    const again = structuredClone(object)
    kind.setDefaults?.(again as never)
    assert.deepEqual(again, object, kind.kind)
  }
})

/** Drops members and items here and there, as careless clients do. */
function withGaps(value: unknown, random: Random, chance: number): unknown {
  if (Array.isArray(value)) {
    return value.filter(() => random.next() >= chance).map((item) => withGaps(item, random, chance))
  }
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => name === 'metadata' || random.next() >= chance)
  return Object.fromEntries(kept.map(([name, member]) => [name, withGaps(member, random, chance)]))
}

test('objects with parts missing anywhere are refused, never stumbled over', () => {
  const random = seededRandom(7)
  for (const kind of kinds) {
    const node = kindNode(kind.group, kind.version, kind.kind)
    const whole = tryCreate(kind, samples[kind.kind] ?? {}).object
    for (let round = 0; round < 20; round++) {
      const draft = withGaps(structuredClone(whole), random, 0.1 + round * 0.03) as Draft<KubernetesObject>
      draft.metadata = structuredClone(whole.metadata) as Draft<KubernetesObject>['metadata']
      kind.setDefaults?.(draft)
      if (node !== undefined) applySchemaDefaults(node, draft)
      kind.prepareForCreate?.(draft)
      if (node !== undefined) applySchemaDefaults(node, draft)
      const object = draft as unknown as KubernetesObject
      kind.validate?.(object)
      kind.validateUpdate?.(object, whole)
      kind.validateStatusUpdate?.(object, whole, 0)
      kind.cells?.(object, Date.parse('2024-01-02T00:00:00Z'))
      kind.selectableFields?.(object)
      kind.warnings?.(object)
    }
  }
})
