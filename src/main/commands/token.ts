import { defineCommand, defineCommandGroup, UsageError } from '#cli/command.ts'
import { tokenTable } from '#cli/token/token-table.ts'
import { createToken, deleteToken, listTokens } from '#cli/token/tokens.ts'
import { formatJoinToken } from '#api/core/v1/join-token.ts'
import { configMaps } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { publicKeyHash } from '#lib/x509/public-key-hash.ts'
import { openCluster, type AdminAccess } from '../admin-access.ts'

const kubeconfig = {
  name: 'kubeconfig',
  type: 'string',
  default: '',
  help: "Administrator kubeconfig (default: $KUBECONFIG, else that of this machine's cluster)",
} as const

const create = defineCommand({
  name: 'create',
  summary: 'Make a token with which machines join the cluster, and print it',
  description:
    'Makes a bootstrap token and prints it as ID.SECRET.sha256-HASH. ID.SECRET is a Kubernetes bootstrap token: it ' +
    "proves the machine to the server. HASH is the SHA-256 of the public key of the cluster's certificate authority: " +
    'with it the machine makes sure that it talks to this cluster and to nobody in between, before it sends the ' +
    'secret. Whoever has the token can join machines until it expires, so pass it on as you would a password.',
  examples: ['# Print what to run on another machine', 'coracle token create --print-join-command'],
  flags: [
    { name: 'ttl', type: 'duration', default: 86_400_000, help: 'How long the token is good for; 0 means for ever' },
    { name: 'description', type: 'string', default: '', help: 'What the token is for, shown by "coracle token list"' },
    { name: 'print-join-command', type: 'boolean', default: false, help: 'Print the whole command for the machine' },
    kubeconfig,
  ],
  async run({ values, terminal }) {
    if (values.ttl < 0) throw new UsageError('--ttl must not be negative')
    using cluster = await openCluster(values.kubeconfig)
    const authorityHash = authorityHashOf(cluster)
    const bearer = await createToken(cluster.client, systemRandom, {
      description: values.description,
      extraGroups: [],
      ...(values.ttl > 0 && { expiresAtMs: systemClock.now() + values.ttl }),
    })
    const token = formatJoinToken({ bearer, authorityHash })
    if (!values['print-join-command']) terminal.write(`${token}\n`)
    else terminal.write(`coracle agent --server ${await advertisedServer(cluster)} --token ${token}\n`)
  },
})

function authorityHashOf({ access }: AdminAccess): string {
  if (access.ca === undefined) throw new Error("The kubeconfig does not hold the cluster's certificate authority")
  return publicKeyHash(access.ca)
}

/** The address that the cluster tells joining machines; an administrator may reach it under another. */
async function advertisedServer({ client, access }: AdminAccess): Promise<string> {
  return (await publishedServer(client).catch(() => undefined)) ?? access.server
}

async function publishedServer(client: Client): Promise<string | undefined> {
  const { clusterIn } = await import('#client/kubeconfig.ts')
  const info = await client.resource(configMaps, 'kube-public').get('cluster-info')
  return clusterIn(info.data?.['kubeconfig'] ?? '{}')?.server
}

const list = defineCommand({
  name: 'list',
  summary: 'List the tokens, without their secret parts',
  flags: [kubeconfig],
  async run({ values, terminal }) {
    using cluster = await openCluster(values.kubeconfig)
    terminal.write(tokenTable(await listTokens(cluster.client), systemClock.now()))
  },
})

const remove = defineCommand({
  name: 'delete',
  summary: 'Delete tokens: no machine can join with them any more; those that have joined stay',
  operands: 'TOKEN|ID...',
  flags: [kubeconfig],
  async run({ values, operands, terminal }) {
    if (operands.length === 0) throw new UsageError('name at least one token or token id')
    using cluster = await openCluster(values.kubeconfig)
    for (const operand of operands) terminal.write(`token "${await deleteToken(cluster.client, operand)}" deleted\n`)
  },
})

export const token = defineCommandGroup({
  name: 'token',
  summary: 'Manage the tokens with which machines join the cluster',
  commands: [create, list, remove],
})
