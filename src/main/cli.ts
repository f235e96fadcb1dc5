import type { Program } from '#cli/command.ts'
import { runCommandLine } from '#cli/run-command-line.ts'
import { keepAlive } from '#lib/clock.ts'
import { agent } from './commands/agent.ts'
import { down } from './commands/down.ts'
import { server } from './commands/server.ts'
import { stop } from './commands/stop.ts'
import { up } from './commands/up.ts'
import { token } from './commands/token.ts'
import { why } from './commands/why.ts'
import { version } from './commands/version.ts'

const program: Program = {
  name: 'coracle',
  description: 'Coracle is a complete Kubernetes in one process.',
  commands: [up, stop, down, server, agent, token, why, version],
}

// A reader that has seen enough closes the pipe: no reason to complain.
process.stdout.on('error', () => undefined)

const terminal = {
  write: (text: string) => void process.stdout.write(text),
  writeError: (text: string) => void process.stderr.write(text),
}

using _alive = keepAlive()
// A command that failed half-way may have left a server open: its end is the end of the process.
process.exit(await runCommandLine(program, process.argv.slice(2), terminal))
