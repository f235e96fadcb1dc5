import { defineCommand } from '#cli/command.ts'
import { hostLayout } from '#host/layout.ts'
import { dataDirFlag } from './data-dir-flag.ts'

export const stop = defineCommand({
  name: 'stop',
  summary: 'Stop the cluster process; containers go on, and "coracle up" adopts them',
  flags: [dataDirFlag],
  async run({ values, terminal }) {
    const { endProcess } = await import('#host/end-process.ts')
    const { readProcessFile } = await import('#host/process-file.ts')
    const { systemClock } = await import('#lib/clock.ts')
    const running = readProcessFile(hostLayout(values['data-dir']).serverPidFile)
    if (!running) {
      terminal.write('The cluster does not run.\n')
      return
    }
    await endProcess(running, systemClock)
    terminal.write('The cluster process has stopped. Its containers are still running.\n')
  },
})
