import { defineCommand } from '#cli/command.ts'
import { endProcess } from '#host/end-process.ts'
import { defaultDataDir, hostLayout } from '#host/layout.ts'
import { readProcessFile } from '#host/process-file.ts'
import { systemClock } from '#lib/clock.ts'

export const stop = defineCommand({
  name: 'stop',
  summary: 'Stop the cluster process; containers go on, and "coracle up" adopts them',
  flags: [
    {
      name: 'data-dir',
      type: 'string',
      default: defaultDataDir,
      help: 'The data directory the cluster was started with',
    },
  ],
  async run({ values, terminal }) {
    const running = readProcessFile(hostLayout(values['data-dir']).serverPidFile)
    if (!running) {
      terminal.write('The cluster does not run.\n')
      return
    }
    await endProcess(running, systemClock)
    terminal.write('The cluster process has stopped. Its containers are still running.\n')
  },
})
