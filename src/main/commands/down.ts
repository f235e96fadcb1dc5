import { defineCommand } from '#cli/command.ts'
import { hostLayout } from '#host/layout.ts'
import { requireRoot } from '../require-root.ts'
import { dataDirFlag } from './data-dir-flag.ts'

export const down = defineCommand({
  name: 'down',
  summary: 'Remove the cluster from this machine, with all its data',
  description:
    'Ends the cluster and all its containers and removes every trace of it: processes, network namespaces, mounts, ' +
    'cgroups, nftables tables, links and files. Packages that "coracle up" installed stay.',
  flags: [dataDirFlag],
  async run({ values, terminal }) {
    const { detectMachine } = await import('#host/machine.ts')
    const { removeCluster } = await import('#host/remove-cluster.ts')
    const { systemClock } = await import('#lib/clock.ts')
    const machine = detectMachine()
    requireRoot(machine, 'coracle down')
    await removeCluster(hostLayout(values['data-dir']), machine, systemClock, (step) => terminal.write(`* ${step}\n`))
    terminal.write('Nothing of the cluster is left on this machine.\n')
  },
})
