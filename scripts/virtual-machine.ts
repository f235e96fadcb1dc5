/**
 * A virtual machine for what this machine's kernel cannot do: Debian's kernel with systemd, cgroup v2 alone, four
 * processores on two NUMA nodes, huge pages, AppArmor, an NFS server, containerd 2 and runc 1.3. The checkout is at
 * `/coracle`, node and kubectl with it; `./coracle up` and the harness of the cluster tests work there.
 *
 *     node scripts/virtual-machine.ts test [file…]      boots, runs test files (default: all of test/machine), stops
 *     node scripts/virtual-machine.ts start             boots, and leaves it running
 *     node scripts/virtual-machine.ts run 'script…'     runs a bash script in /coracle; its exit code is the answer
 *     node scripts/virtual-machine.ts sync              brings the checkout of now into the running machine
 *     node scripts/virtual-machine.ts stop              ends it; nothing that was written stays
 *
 * Needs root and Debian for the first start: it installs the emulator and makes the image, in `.cache/virtual-machine`.
 * Without the processor's virtualization everything is about ten times slower than here: boot takes about 40 seconds.
 */
import { globSync } from 'node:fs'
import { dirname } from 'node:path'
import { installPackages } from '#host/prerequisites.ts'
import { findProgram } from '#host/machine.ts'
import { root } from './gate/run-program.ts'
import { runInGuest } from './virtual-machine/agent.ts'
import { checkoutDisk } from './virtual-machine/checkout-disks.ts'
import { agentSocket, startMachine, stopMachine } from './virtual-machine/machine.ts'

const scriptTimeoutMs = 3_600_000
const environment = 'cd /coracle; export HOME=/root PATH=/coracle/node_modules/.bin:$PATH CORACLE_MACHINE=1'
const tools = { 'qemu-system-x86': 'qemu-system-x86_64', mmdebstrap: 'mmdebstrap', 'squashfs-tools': 'mksquashfs' }

const commands: Readonly<Record<string, (words: readonly string[]) => Promise<number>>> = {
  async start() {
    await installTools()
    await startMachine()
    return mountCheckout()
  },
  async stop() {
    await stopMachine()
    return 0
  },
  async sync() {
    await checkoutDisk()
    return mountCheckout()
  },
  run: (words) => guest(`${environment}\n${words.join(' ')}`),
  async test(files) {
    const all = files.length > 0 ? files : globSync('test/machine/*.test.ts', { cwd: root }).sort()
    process.once('SIGINT', () => void stopMachine().then(() => process.kill(process.pid, 'SIGTERM')))
    try {
      const started = await commands['start']?.([])
      return started === 0 ? await runTests(all) : 1
    } finally {
      await stopMachine()
    }
  },
}

/** One run for each file: each has a cluster of its own. */
async function runTests(files: readonly string[]): Promise<number> {
  let failed = 0
  for (const file of files) {
    const code = await guest(`${environment}\nnode --test --test-isolation=none --test-reporter=spec ${file}`)
    if (code !== 0) failed++
  }
  process.stdout.write(`${files.length - failed} files passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
}

/** The bundle knows its sources by their paths here: these lead to the checkout there, too. */
function mountCheckout(): Promise<number> {
  return guest(`mount-checkout && mkdir -p '${dirname(root)}' && ln -sfn /coracle '${root}'`)
}

function guest(script: string): Promise<number> {
  const onOutput = (text: string): void => void process.stdout.write(text)
  return runInGuest({ socket: agentSocket, script, onOutput, timeoutMs: scriptTimeoutMs })
}

async function installTools(): Promise<void> {
  const missing = Object.entries(tools).filter(([, program]) => findProgram(program) === undefined)
  if (missing.length > 0) await installPackages(missing.map(([name]) => name))
}

const [name = '', ...words] = process.argv.slice(2)
const command = commands[name]
if (command === undefined) {
  process.stderr.write(`usage: node scripts/virtual-machine.ts ${Object.keys(commands).join('|')}\n`)
  process.exitCode = 2
} else {
  process.exitCode = await command(words).catch((error: Error) => {
    process.stderr.write(`error: ${error.message}\n`)
    return 1
  })
}
