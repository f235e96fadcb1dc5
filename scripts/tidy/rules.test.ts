import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bannedProblems } from './banned.ts'
import { unusedExportProblems } from './export-rules.ts'
import { cycleProblems, deadFileProblems } from './graph-rules.ts'
import { importProblems } from './import-rules.ts'
import { markdownProblems } from './markdown-rules.ts'
import { formatProblem } from './problem.ts'
import type { Problem } from './problem.ts'
import { shrinkLedger, sizeProblems } from './size-rules.ts'
import { sourceFile } from './source-file.ts'
import type { SourceFile } from './source-file.ts'

function project(texts: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(texts).map(([path, text]) => sourceFile(path, text))
}

function shown(problems: readonly Problem[]): string[] {
  return problems.map(formatProblem)
}

const neighbours = {
  'src/lib/heap.ts': '',
  'src/client/watch.ts': '',
  'src/kubelet/pod.ts': '',
  'src/storage/store.ts': '',
  'src/network/dns/zone.ts': '',
  'test/harness.ts': '',
}

const imports: readonly [path: string, text: string, message?: string][] = [
  ['src/client/a.ts', "import { h } from '#lib/heap.ts'"],
  ['src/client/a.ts', "import type { w } from './watch.ts'"],
  [
    'src/client/a.ts',
    "import { w } from '#client/watch.ts'",
    "import '#client/watch.ts' relatively: it is the same room",
  ],
  ['src/client/a.ts', "import { h } from '../lib/heap.ts'", "import across rooms as '#lib/heap.ts'"],
  ['scripts/a.ts', "import { h } from '../src/lib/heap.ts'", "import across rooms as '#lib/heap.ts'"],
  ['src/client/a.ts', "import { g } from './gone.ts'", "imports './gone.ts', which does not exist"],
  [
    'src/lib/a.ts',
    "import { w } from '#client/watch.ts'",
    "room 'lib' may not import 'client' (it may: nothing): move the shared fact down, to api or lib",
  ],
  [
    'src/scheduler/a.ts',
    "import type { P } from '#kubelet/pod.ts'",
    "room 'scheduler' may not import 'kubelet' (it may: lib, api, client, reconcile): move the shared fact down, to api or lib",
  ],
  [
    'src/scheduler/a.ts',
    "const p = await import('#kubelet/pod.ts')",
    "room 'scheduler' may not import 'kubelet' (it may: lib, api, client, reconcile): move the shared fact down, to api or lib",
  ],
  ['src/scheduler/a.test.ts', "import { P } from '#storage/store.ts'"],
  ['src/main/a.ts', "import { P } from '#storage/store.ts'"],
  [
    'src/main/a.ts',
    "import { H } from '#test/harness.ts'",
    "product code may not import 'test/harness.ts': move it below src/",
  ],
  [
    'src/newroom/a.ts',
    "import { h } from '#lib/heap.ts'",
    "'src/newroom' has no row in scripts/tidy/rooms.ts: give the room one",
  ],
  [
    'src/network/proxy/a.ts',
    "import { z } from '../dns/zone.ts'",
    "'network/proxy' and 'network/dns' never import each other: meet in the API",
  ],
  ['src/network/a.ts', "import { z } from './dns/zone.ts'"],
  [
    'src/api/a.ts',
    "import { readFileSync } from 'node:fs'",
    "room 'api' is pure and may not import 'node:fs': pass the fact in",
  ],
  ['src/lib/a.ts', "import { load } from 'js-yaml'"],
  ['src/lib/a.ts', "import { x } from '@grpc/grpc-js/build/x'"],
  [
    'src/api/a.ts',
    "import { load } from 'js-yaml'",
    "room 'api' may not use the package 'js-yaml' (scripts/tidy/rooms.ts lists what it may use)",
  ],
  ['src/lib/a.ts', "import fs from 'fs'", "'fs' is not in package.json; built-in modules are written 'node:fs'"],
  ['src/lib/a.ts', "// import { w } from '#client/watch.ts'"],
  ['src/lib/a.ts', "const text = `import { w } from '#client/watch.ts'`"],
  [
    'src/main/a.ts',
    "const worker = new URL('./gone-worker.ts', import.meta.url)",
    "imports './gone-worker.ts', which does not exist",
  ],
]

for (const [path, text, message] of imports) {
  test(`importProblems() judges ${text} in ${path}`, () => {
    const files = project({ ...neighbours, [path]: text })
    const packages = new Set(['js-yaml', '@grpc/grpc-js'])
    assert.deepEqual(shown(importProblems(files, packages)), message === undefined ? [] : [`${path}:1: ${message}`])
  })
}

test('cycleProblems() shows the way round, types included', () => {
  const files = project({
    'src/lib/a.ts': "import './b.ts'",
    'src/lib/b.ts': "import type { C } from './c.ts'",
    'src/lib/c.ts': "export { a } from './a.ts'",
    'src/lib/d.ts': "import './a.ts'",
    'src/lib/link.ts': "new Worker(new URL('./worker.ts', import.meta.url))",
    'src/lib/worker.ts': "import './link.ts'",
  })
  assert.deepEqual(shown(cycleProblems(files)), [
    'src/lib/a.ts: import cycle: src/lib/a.ts → src/lib/b.ts → src/lib/c.ts → src/lib/a.ts; move what both need into a third file',
  ])
})

test('deadFileProblems() finds what no root reaches', () => {
  const files = project({
    'src/main/cli.ts': "import '#lib/a.ts'",
    'src/lib/a.ts': "import './b.ts'",
    'src/lib/b.ts': '',
    'src/lib/c.ts': "import './d.ts'",
    'src/lib/d.ts': '',
    'src/lib/e.ts': '',
    'src/lib/e.test.ts': "import './e.ts'",
  })
  assert.deepEqual(
    deadFileProblems(files).map((problem) => problem.path),
    ['src/lib/c.ts', 'src/lib/d.ts'],
  )
})

test('unusedExportProblems() spares types of signatures and re-exported names', () => {
  const files = project({
    'src/lib/a.ts': [
      'export function used(options: Options): void {}',
      'export const unused = 1',
      'export interface Options {}',
      'export type Forgotten = string',
      "export const renamed = '' // export const comment = 1",
    ].join('\n'),
    'src/lib/b.ts': "import { used, renamed as other } from './a.ts'",
  })
  assert.deepEqual(shown(unusedExportProblems(files)), [
    "src/lib/a.ts:2: nothing imports 'unused': drop the export, or the code",
    "src/lib/a.ts:4: nothing imports 'Forgotten': drop the export, or the code",
  ])
})

const banned: readonly [path: string, text: string, found?: string][] = [
  ['src/lib/a.ts', 'const t = Date.now()', 'Date.now'],
  ['src/lib/a.test.ts', 'const t = Date.now()', 'Date.now'],
  ['src/lib/clock.ts', 'const t = Date.now()'],
  ['test/cluster/a.ts', 'const t = Date.now()'],
  ['src/lib/a.ts', '// never Date.now()'],
  ['src/lib/a.ts', "const t = 'Date.now()'"],
  ['src/lib/a.ts', 'const t = `x ${Date.now()} y`', 'Date.now'],
  ['src/lib/a.ts', 'const r = /Date.now/'],
  ['src/lib/a.ts', 'const t = 4 / Date.now() / 2', 'Date.now'],
  ['src/lib/a.ts', 'setTimeout(f, 1)', 'setTimeout'],
  ['src/lib/a.ts', 'clearTimeout(f)'],
  ['src/lib/a.ts', 'socket.setTimeout(1)'],
  ['scripts/a.ts', 'console.log(1)', 'console.l'],
  ['src/lib/a.ts', 'const x = y as any', 'as any'],
  ['src/lib/a.ts', 'export enum Colour { Red }', 'export enum C'],
  ['src/lib/a.ts', '// TODO: later', 'TODO'],
  ['src/lib/a.ts', "const word = 'TODO'"],
  ['src/lib/a.ts', '// As in kubelet/sync.go', 'kubelet/sync.go'],
  ['src/lib/a.ts', 'process.exit(1)', 'process.exit('],
  ['src/lib/a.test.ts', 'process.exit(1)'],
]

for (const [path, text, found] of banned) {
  test(`bannedProblems() judges ${text} in ${path}`, () => {
    const problems = shown(bannedProblems(sourceFile(path, `\n${text}\n`)))
    if (found === undefined) assert.deepEqual(problems, [])
    else assert.match(problems.join('\n'), new RegExp(`^${path}:2: '${RegExp.escape(found)}' is banned: use .`))
  })
}

const names: readonly [path: string, message?: string][] = [
  ['src/lib/utils.ts', "'utils.ts' says nothing: name it after what it does"],
  ['src/lib/helpers/x.ts', "'helpers' says nothing: name it after what it does"],
  ['src/lib/commonName.ts', 'file names are kebab-case, after what the file exports'],
  ['src/lib/common-name.test.ts'],
]

for (const [path, message] of names) {
  test(`bannedProblems() judges the name ${path}`, () => {
    assert.deepEqual(shown(bannedProblems(sourceFile(path, ''))), message === undefined ? [] : [`${path}: ${message}`])
  })
}

const longFunction = `export function long(a: string): Promise<void> {\n${'  work()\n'.repeat(75)}}\n`

test('sizeProblems() measures functions, and the ledger grants what it lists', () => {
  const files = project({ 'src/lib/a.ts': longFunction })
  const limit = "src/lib/a.ts:1: function 'long' has 77 lines, 70 are the limit: split it by concept"
  assert.deepEqual(shown(sizeProblems(files, {})), [limit])
  assert.deepEqual(shown(sizeProblems(files, { 'src/lib/a.ts#long': 77 })), [])
  assert.match(shown(sizeProblems(files, { 'src/lib/a.ts#long': 76 }))[0] ?? '', /76 are the limit/)
})

test('sizeProblems() wants the ledger lowered, and shrinkLedger() only lowers', () => {
  const files = project({ 'src/lib/a.ts': longFunction })
  const ledger = { 'src/lib/a.ts#long': 90, 'src/lib/gone.ts': 700 }
  assert.equal(sizeProblems(files, ledger).length, 2)
  assert.deepEqual(shrinkLedger(files, ledger), { 'src/lib/a.ts#long': 77 })
  assert.deepEqual(shrinkLedger(files, {}), {})
})

test('sizeProblems() measures files, except generated ones', () => {
  const text = 'x()\n'.repeat(601)
  const files = project({ 'src/lib/a.ts': text, 'src/api/types/a.ts': text })
  assert.deepEqual(shown(sizeProblems(files, {})), [
    'src/lib/a.ts: the file has 601 lines, 600 are the limit: split it by concept',
  ])
})

test('sizeProblems() counts a suite of tests without the tests', () => {
  const text = `function suite() {\n${"  test('x', () => {\n    work()\n  })\n".repeat(30)}}\n`
  assert.deepEqual(sizeProblems(project({ 'src/lib/a.case.ts': text }), {}), [])
  assert.equal(sizeProblems(project({ 'src/lib/a.ts': text }), {}).length, 1)
})

const pages: readonly [text: string, messages: string[]][] = [
  ['# A\n\ntext\n## B\n', []],
  ['text\n', ["p.md: has no title: begin with one '# ' heading"]],
  ['# A\n# B\n', ["p.md:2: has a second '# ' heading: use '## '"]],
  ['# A\n```sh\n# comment\n```\n', []],
  ['# A\n[x](a.ts#L10)\n', ["p.md:2: '#L10' cites a line: name the function"]],
  ['# A\nsee store.ts:12\n', ["p.md:2: '.ts:12' cites a line: name the function"]],
]

for (const [text, messages] of pages) {
  test(`markdownProblems() judges ${JSON.stringify(text)}`, () => {
    assert.deepEqual(shown(markdownProblems('p.md', text)), messages)
  })
}
