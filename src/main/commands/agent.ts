import { hostname } from 'node:os'
import { isIP } from 'node:net'
import { parseJoinToken } from '#api/core/v1/join-token.ts'
import { defineCommand, UsageError } from '#cli/command.ts'
import { defaultDataDir, hostLayout } from '#host/layout.ts'
import { detectMachine } from '#host/machine.ts'
import { installPackages, missingPackages } from '#host/prerequisites.ts'
import { readProcessFile } from '#host/process-file.ts'
import { requireRoot } from '../require-root.ts'
import { nodeFilesOf, nodeFlags } from './node-flags.ts'

export const agent = defineCommand({
  name: 'agent',
  summary: 'Join a cluster as a node, and run the node in the foreground',
  description:
    'Joins the cluster of --server with a token that "coracle token create" printed there, and runs pods until ' +
    'SIGTERM or SIGINT; containers go on, and the next start adopts them. The token is needed once: the machine gets ' +
    'a certificate of its own, keeps it in the data directory and renews it. Installs what is missing (containerd, ' +
    'runc, CNI plugins, nftables). All nodes of a cluster must be on one L2 network: pods reach the pods of other ' +
    'nodes by routes to their addresses. "coracle down" removes the node from this machine again.',
  examples: [
    '# On the server',
    'coracle token create --print-join-command',
    '# On the new node',
    'coracle agent --server https://192.0.2.10:6443 --token abcdef.0123456789abcdef.sha256-…',
  ],
  flags: [
    { name: 'server', type: 'string', default: '', help: 'URL of the API server, such as https://192.0.2.10:6443' },
    { name: 'token', type: 'string', default: '', help: 'Token to join with; not needed once the machine has joined' },
    { name: 'node-name', type: 'string', default: '', help: 'Name of the node (default: the host name)' },
    {
      name: 'node-ip',
      type: 'string',
      default: '',
      help: 'Address at which the other nodes reach this one (default: that on the way to the server)',
    },
    ...nodeFlags,
    { name: 'data-dir', type: 'string', default: defaultDataDir, help: 'Where the node keeps everything' },
  ],
  async run({ values, terminal }) {
    // The token must not stand in the process list for as long as the node runs.
    process.title = 'coracle agent'
    const server = serverUrl(values.server)
    const nodeName = validNodeName(values['node-name'] === '' ? hostname().toLowerCase() : values['node-name'])
    const address = values['node-ip']
    if (address !== '' && isIP(address) === 0) throw new UsageError(`--node-ip "${address}" is not an IP address`)
    const token = values.token === '' ? undefined : parseJoinToken(values.token)
    requireRoot(detectMachine(), 'coracle agent')
    const { dataDir, serverPidFile } = hostLayout(values['data-dir'])
    const running = readProcessFile(serverPidFile)
    if (running) throw new Error(`A node already runs with ${dataDir} (process ${running.pid}); "coracle stop" ends it`)
    const missing = missingPackages()
    if (missing.length > 0) {
      terminal.writeError(`* Installing ${missing.join(', ')}\n`)
      await installPackages(missing)
    }
    const { runAgent } = await import('../run-agent.ts')
    await runAgent({ dataDir, server, token, nodeName, address, nodeFiles: nodeFilesOf(values) })
  },
})

function serverUrl(text: string): string {
  if (text === '')
    throw new UsageError('--server is needed: the URL of the API server, such as https://192.0.2.10:6443')
  const url = URL.parse(text)
  if (url?.protocol !== 'https:') throw new UsageError(`--server "${text}" is not an https:// URL`)
  return url.href.replace(/\/$/, '')
}

function validNodeName(name: string): string {
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return name
  throw new UsageError(`"${name}" cannot be a node name: choose a DNS name in lower case with --node-name`)
}
