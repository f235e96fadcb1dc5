import { UsageError, type FlagValues } from '#cli/command.ts'
import type { StorageChoice } from '../open-store.ts'

/** The flags that say where a server keeps its state. */
export const storageFlags = [
  { name: 'storage', type: 'string', default: 'sqlite', help: 'Where state is kept: sqlite, memory or etcd' },
  {
    name: 'etcd-servers',
    type: 'list',
    default: [],
    help: 'Client URLs of the etcd to keep state in (http://127.0.0.1:2379,…), with --storage etcd',
  },
  { name: 'etcd-prefix', type: 'string', default: '', help: 'Put before every key, for an etcd with several clusters' },
  { name: 'etcd-cafile', type: 'string', default: '', help: 'Authority that signed the certificates of etcd (PEM)' },
  { name: 'etcd-certfile', type: 'string', default: '', help: 'Certificate to show to etcd (PEM)' },
  { name: 'etcd-keyfile', type: 'string', default: '', help: 'Key of that certificate (PEM)' },
] as const

/** What the flags choose. Throws `UsageError` where they do not go together. */
export function storageChoice(values: FlagValues<typeof storageFlags>): StorageChoice {
  const { storage, 'etcd-servers': servers, 'etcd-prefix': keyPrefix } = values
  const { 'etcd-cafile': caFile, 'etcd-certfile': certFile, 'etcd-keyfile': keyFile } = values
  if (storage === 'etcd') {
    if (servers.length === 0) throw new UsageError('--storage etcd needs --etcd-servers')
    if ((certFile === '') !== (keyFile === '')) throw new UsageError('--etcd-certfile and --etcd-keyfile go together')
    if (caFile + certFile !== '' && servers.some((server) => !server.startsWith('https://'))) {
      throw new UsageError('--etcd-cafile and --etcd-certfile need --etcd-servers with https')
    }
    return { etcd: { servers, keyPrefix, caFile, certFile, keyFile } }
  }
  if (storage !== 'memory' && storage !== 'sqlite') {
    throw new UsageError(`invalid value "${storage}" for --storage: must be sqlite, memory or etcd`)
  }
  if (servers.length > 0 || keyPrefix + caFile + certFile + keyFile !== '') {
    throw new UsageError('the --etcd flags need --storage etcd')
  }
  return storage
}
