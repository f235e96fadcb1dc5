import { defineCommand } from '#cli/command.ts'
import { UsageError } from '#cli/command.ts'
import { defaultDataDir } from '#host/layout.ts'
import { storageKinds, type StorageKind } from '../open-store.ts'

export const server = defineCommand({
  name: 'server',
  summary: 'Run the control plane in the foreground, without a node',
  description: 'Runs the API server, controllers and scheduler until SIGTERM or SIGINT.',
  flags: [
    { name: 'data-dir', type: 'string', default: defaultDataDir, help: 'Where state, keys and certificates are kept' },
    { name: 'bind-address', type: 'string', default: '0.0.0.0', help: 'Address to listen on' },
    {
      name: 'advertise-address',
      type: 'string',
      default: '',
      help: 'Address at which nodes and pods reach the API server (default: found out)',
    },
    {
      name: 'tls-san',
      type: 'list',
      default: [],
      help: 'More names and addresses under which the server is reached, for its certificate',
    },
    { name: 'secure-port', type: 'integer', default: 6443, help: 'Port to listen on; 0 takes a free one' },
    { name: 'write-kubeconfig', type: 'string', default: '', help: 'Write the administrator kubeconfig here too' },
    { name: 'storage', type: 'string', default: 'sqlite', help: `Where state is kept: ${storageKinds.join(' or ')}` },
  ],
  async run({ values }) {
    if (!storageKinds.includes(values.storage as StorageKind)) {
      throw new UsageError(`invalid value "${values.storage}" for --storage: must be ${storageKinds.join(' or ')}`)
    }
    const { runServer } = await import('../run-server.ts')
    await runServer({
      dataDir: values['data-dir'],
      bindAddress: values['bind-address'],
      advertiseAddress: values['advertise-address'],
      alternativeNames: values['tls-san'],
      port: values['secure-port'],
      kubeconfigFile: values['write-kubeconfig'],
      storage: values.storage as StorageKind,
    })
  },
})
