import { defineCommand } from '#cli/command.ts'
import { defaultDataDir } from '#host/layout.ts'
import { schedulerConfigFlag } from '../scheduler-configuration.ts'
import { apiChoiceOf, apiFlags } from './api-flags.ts'
import { flagTexts } from './flag-texts.ts'
import { frontProxyFlags, frontProxyTrust } from './front-proxy-flags.ts'
import { storageChoice, storageFlags } from './storage-flags.ts'

export const server = defineCommand({
  name: 'server',
  summary: 'Run the control plane in the foreground, without a node',
  description:
    'Runs the API server, controllers and scheduler until SIGTERM or SIGINT. With --storage etcd any number of servers ' +
    'work on the same cluster; each needs ca.pem and service-account.key of the first in the pki folder of its data ' +
    'directory, and one of them at a time runs the controllers and the scheduler.',
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
    schedulerConfigFlag,
    {
      name: 'simulated-nodes',
      type: 'integer',
      default: 0,
      help: 'Add this many nodes without machines: pods on them run in memory only',
    },
    ...apiFlags,
    ...frontProxyFlags,
    ...storageFlags,
  ],
  async run({ values }) {
    const storage = storageChoice(values)
    const apis = await apiChoiceOf(values)
    const frontProxy = await frontProxyTrust(values)
    const { runServer } = await import('../run-server.ts')
    await runServer({
      dataDir: values['data-dir'],
      bindAddress: values['bind-address'],
      advertiseAddress: values['advertise-address'],
      alternativeNames: values['tls-san'],
      port: values['secure-port'],
      kubeconfigFile: values['write-kubeconfig'],
      storage,
      apis,
      flags: flagTexts(values),
      ...(frontProxy && { frontProxy }),
      schedulerConfigFile: values['scheduler-config'],
      simulatedNodes: values['simulated-nodes'],
    })
  },
})
