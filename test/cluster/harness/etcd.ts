import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unpackDebianPackages } from '../../../scripts/debian-packages.ts'
import { freePort } from './cluster.ts'

/** A real etcd of Debian's, one member or several, in a folder of its own and on free ports of the loopback. */
export interface Etcd extends AsyncDisposable {
  /** Client URLs, one for each member. */
  readonly servers: readonly string[]
  /** Ends a member with SIGKILL and resolves when it is gone. */
  kill(member?: number): Promise<void>
  /** Starts a killed member again on its data. */
  start(member?: number): void
}

export interface EtcdOptions {
  readonly members?: number
  /** Files for TLS with clients, who must then show a certificate too. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string }
}

/** Starts an empty etcd. It answers soon after: who connects waits for that. */
export async function startEtcd({ members = 1, tls }: EtcdOptions = {}): Promise<Etcd> {
  const [folder = ''] = await unpackDebianPackages('bookworm', ['etcd-server'])
  const data = await mkdtemp(join(tmpdir(), 'coracle-etcd-'))
  const scheme = tls ? 'https' : 'http'
  const servers = await urls(scheme, members)
  const peers = await urls('http', members)
  const cluster = peers.map((peer, member) => `m${member}=${peer}`).join(',')
  const secure = tls && ['--cert-file', tls.certificate, '--key-file', tls.key, '--trusted-ca-file', tls.ca]
  const argsOf = (member: number): string[] => [
    ...['--name', `m${member}`, '--data-dir', join(data, String(member)), '--initial-cluster', cluster],
    ...['--listen-client-urls', servers[member] ?? '', '--advertise-client-urls', servers[member] ?? ''],
    ...['--listen-peer-urls', peers[member] ?? '', '--initial-advertise-peer-urls', peers[member] ?? ''],
    ...['--heartbeat-interval', '20', '--election-timeout', members === 1 ? '100' : '400', '--log-level', 'error'],
    ...(secure ? [...secure, '--client-cert-auth'] : []),
  ]
  const run = (member: number): ChildProcess =>
    spawn(join(folder, 'usr/bin/etcd'), argsOf(member), { stdio: 'ignore', cwd: data })
  const children = servers.map((_, member) => run(member))
  const kill = async (member = 0): Promise<void> => {
    const child = children[member]
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  return {
    servers,
    kill,
    start: (member = 0) => void (children[member] = run(member)),
    async [Symbol.asyncDispose]() {
      await Promise.all(children.map((_, member) => kill(member)))
      await rm(data, { recursive: true, force: true })
    },
  }
}

async function urls(scheme: string, count: number): Promise<string[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports].map((port) => `${scheme}://127.0.0.1:${port}`)
}
