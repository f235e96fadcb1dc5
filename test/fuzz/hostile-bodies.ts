interface HostileBody {
  readonly name: string
  readonly type: string
  readonly body: () => string
}

const megabyte = 1 << 20

/** Bodies meant to take the server's time, memory or stack. */
export const hostileBodies: readonly HostileBody[] = [
  { name: 'deep JSON', type: 'application/json', body: () => '['.repeat(megabyte) },
  {
    name: 'deep JSON objects',
    type: 'application/json',
    body: () => `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`,
  },
  { name: 'deep unknown field', type: 'application/json', body: () => nested('spec', 100_000) },
  { name: 'deep data', type: 'application/json', body: () => nested('data', 100_000) },
  {
    name: 'many members',
    type: 'application/json',
    body: () => `{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":1`).join()}}`,
  },
  {
    name: 'one name many times',
    type: 'application/json',
    body: () => `{${'"data":{},'.repeat(200_000)}"kind":"ConfigMap"}`,
  },
  {
    name: 'long string',
    type: 'application/json',
    body: () => JSON.stringify({ data: { k: 'x'.repeat(3 * megabyte) } }),
  },
  { name: 'deep flow YAML', type: 'application/yaml', body: () => '['.repeat(100_000) },
  { name: 'deep block YAML', type: 'application/yaml', body: () => '- '.repeat(50_000) },
  { name: 'deep keys in YAML', type: 'application/yaml', body: () => '? '.repeat(20_000) },
  { name: 'YAML aliases', type: 'application/yaml', body: laughs },
  { name: 'YAML that holds itself', type: 'application/yaml', body: () => 'a: &a\n  b: *a\n' },
  {
    name: 'many anchors',
    type: 'application/yaml',
    body: () => Array.from({ length: 50_000 }, (_, i) => `k${i}: &a${i} 1`).join('\n'),
  },
  {
    name: 'merge keys',
    type: 'application/yaml',
    body: () => `a: &a {x: 1}\n${'b:\n  <<: [*a, *a]\n'.repeat(5_000)}`,
  },
  { name: 'many documents', type: 'application/yaml', body: () => '--- {}\n'.repeat(100_000) },
  {
    name: 'tags',
    type: 'application/yaml',
    body: () => `metadata: !!map {name: !!js/function 'x', labels: !<tag:x> [${'!!binary x,'.repeat(10_000)}]}`,
  },
  { name: 'a scalar of megabytes', type: 'application/yaml', body: () => `a: >\n${'  x\n'.repeat(600_000)}` },
  { name: 'quotes without an end', type: 'application/yaml', body: () => `a: "${'\\x41\n'.repeat(200_000)}` },
  { name: 'collections as keys', type: 'application/yaml', body: () => '? {a: [1, 2]}\n: {? [b] : c}\n' },
  {
    name: 'long numbers',
    type: 'application/yaml',
    body: () => `a: ${'9'.repeat(1_000_000)}\nb: 0x${'f'.repeat(100_000)}`,
  },
  {
    name: 'directives',
    type: 'application/yaml',
    body: () => `${'%TAG !e! tag:x,2000:\n'.repeat(20_000)}--- !e!x {}`,
  },
  {
    name: 'long numbers in JSON',
    type: 'application/json',
    body: () => `{"metadata":{"generation":${'9'.repeat(1_000_000)}}}`,
  },
  {
    name: 'names that occur twice, deep',
    type: 'application/json',
    body: () => `${'{"a":1,"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  },
]

function nested(field: string, depth: number): string {
  return `{"metadata":{"name":"x"},"${field}":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`
}

/** Nine levels of nine references each: 350 MB if somebody wrote them out. */
function laughs(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const below = level === 0 ? '"ha"' : `*l${level - 1}`
    return `l${level}: &l${level} [${Array.from({ length: 9 }, () => below).join(', ')}]`
  })
  return `${levels.join('\n')}\nmetadata: {name: x}\ndata: *l8\n`
}
