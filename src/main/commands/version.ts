import { defineCommand } from '#cli/command.ts'
import { coracleVersion, kubernetesVersion } from '../version.ts'

export const version = defineCommand({
  name: 'version',
  summary: 'Print the version',
  flags: [],
  async run({ terminal }) {
    terminal.write(`coracle ${coracleVersion()} (Kubernetes ${kubernetesVersion}, Node ${process.version})\n`)
  },
})
