import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineCommand, defineCommandGroup } from './command.ts'
import type { Program } from './command.ts'
import { runCommandLine } from './run-command-line.ts'

const serve = defineCommand({
  name: 'serve',
  summary: 'Run a server',
  description: 'Run a server until it is told to stop.',
  examples: ['# Listen on another port', 'boat serve --port 7000'],
  flags: [
    { name: 'port', shorthand: 'p', type: 'integer', default: 6443, help: 'Port to listen on.' },
    { name: 'name', type: 'string', default: '', help: 'Name of the node.' },
    { name: 'secret', type: 'boolean', default: false, help: 'Not shown.', hidden: true },
  ],
  async run({ values, terminal }) {
    if (values.port === 1) throw new Error('listen on port 1: permission denied')
    terminal.write(`port ${values.port + 1}\n`)
    return values.secret ? 3 : 0
  },
})

const tokenCreate = defineCommand({
  name: 'create',
  summary: 'Make a token',
  operands: 'NAME',
  flags: [],
  async run({ operands, terminal }) {
    terminal.write(`token for ${operands.join(' ')}\n`)
  },
})

const boat: Program = {
  name: 'boat',
  description: 'boat crosses a river.',
  commands: [
    { ...serve, group: 'Basic Commands' },
    defineCommandGroup({ name: 'token', summary: 'Work with tokens', commands: [tokenCreate] }),
  ],
}

async function run(line: string): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' }
  const code = await runCommandLine(boat, line === '' ? [] : line.split(' '), {
    write: (text) => void (written.out += text),
    writeError: (text) => void (written.err += text),
  })
  return { code, ...written }
}

const rootHelp = `boat crosses a river.

Basic Commands:
  serve           Run a server

Available Commands:
  token           Work with tokens

Usage:
  boat [flags] [options]

Use "boat <command> --help" for more information about a given command.
`

const serveHelp = `Run a server until it is told to stop.

Examples:
  # Listen on another port
  boat serve --port 7000

Options:
    -p, --port=6443:
	Port to listen on.

    --name='':
	Name of the node.

Usage:
  boat serve [options]
`

const tokenHelp = `Work with tokens.

Available Commands:
  create          Make a token

Usage:
  boat token [flags] [options]

Use "boat token <command> --help" for more information about a given command.
`

const cases: readonly [string, number, string, string][] = [
  ['', 0, rootHelp, ''],
  ['--help', 0, rootHelp, ''],
  ['help', 0, rootHelp, ''],
  ['serve --help', 0, serveHelp, ''],
  ['serve -h', 0, serveHelp, ''],
  ['help serve', 0, serveHelp, ''],
  ['token', 0, tokenHelp, ''],
  ['serve --port 1000', 0, 'port 1001\n', ''],
  ['serve --secret', 3, 'port 6444\n', ''],
  ['token create a b', 0, 'token for a b\n', ''],
  ['serve --port=1', 1, '', 'error: listen on port 1: permission denied\n'],
  ['serve --prot 1', 1, '', "error: unknown flag: --prot\nSee 'boat serve --help' for usage.\n"],
  ['--prot', 1, '', "error: unknown flag: --prot\nSee 'boat --help' for usage.\n"],
  ['serve now', 1, '', "error: unexpected argument: now\nSee 'boat serve --help' for usage.\n"],
  ['swim', 1, '', 'error: unknown command "swim" for "boat"\nSee \'boat --help\' for usage.\n'],
  ['serv', 1, '', 'error: unknown command "serv" for "boat"\n\nDid you mean this?\n\tserve\n'],
  ['token make', 1, '', 'error: unknown command "make" for "boat token"\nSee \'boat token --help\' for usage.\n'],
]

for (const [line, code, out, err] of cases) {
  test(`runCommandLine() answers "boat ${line}"`, async () => {
    assert.deepEqual(await run(line), { code, out, err })
  })
}
