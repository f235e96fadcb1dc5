import type { TestSpace } from './test-space.ts'
import { eventually } from './eventually.ts'

/**
 * A pod that asks others over the network, from inside. It sees the files of this machine, and so has Node itself for
 * what busybox cannot do: datagrams, and questions to name servers.
 */
export interface NetworkClient {
  /** The body of the answer to an HTTP request; rejects when there is none. */
  get(url: string): Promise<string>
  /** Which echo server answers an HTTP request. */
  hostname(url: string): Promise<string>
  /** Which echo servers answer so many HTTP requests in a row. */
  hostnames(url: string, count: number): Promise<ReadonlySet<string>>
  /** Which echo server answers a datagram; rejects after a second. */
  datagram(address: string, port: number): Promise<string>
  /** What the cluster's name server says of a full name: the records as Node writes them, or the code of a refusal. */
  resolve(name: string, type?: string): Promise<unknown>
  /** Runs a command in the pod. */
  run(...command: readonly string[]): Promise<string>
}

export interface NetworkClientOptions {
  readonly name?: string
  readonly hostNetwork?: boolean
  readonly nodeName?: string
}

const nameServer = '10.96.0.10'

const sendDatagram = `
const [address, port] = process.argv.slice(1)
const socket = require('node:dgram').createSocket('udp4')
socket.on('message', (message) => { process.stdout.write(message); process.exit(0) })
socket.on('error', () => process.exit(1))
setTimeout(() => process.exit(1), 1_000)
socket.send('hello', Number(port), address)`

const askNameServer = `
const [name, type] = process.argv.slice(1)
const resolver = new (require('node:dns').promises.Resolver)({ timeout: 1_000, tries: 2 })
resolver.setServers(['${nameServer}'])
resolver.resolve(name, type).then((found) => console.log(JSON.stringify(found)), (error) => console.log(JSON.stringify(error.code)))`

/** Starts the pod and waits until it can be used. */
export async function startNetworkClient(space: TestSpace, options: NetworkClientOptions = {}): Promise<NetworkClient> {
  const { name = 'client', hostNetwork = false, nodeName } = options
  await space.start({
    name,
    script: 'trap exit TERM; sleep 3600 & wait',
    container: { volumeMounts: [{ name: 'machine', mountPath: '/machine', readOnly: true }] },
    spec: {
      hostNetwork,
      ...(nodeName === undefined ? {} : { nodeName }),
      volumes: [{ name: 'machine', hostPath: { path: '/' } }],
    },
  })
  return networkClient(space, name)
}

/** The same for a pod that runs already. */
export function networkClient(space: TestSpace, name: string): NetworkClient {
  const run = (...command: readonly string[]): Promise<string> => space.exec(name, 'main', ...command)
  const runNode = (script: string, ...args: readonly string[]): Promise<string> =>
    run('chroot', '/machine', process.execPath, '-e', script, '--', ...args)
  const get = (url: string): Promise<string> => run('timeout', '3', 'wget', '-qO-', url)
  return {
    run,
    get,
    hostname: async (url) => hostnameIn(await get(url)),
    async hostnames(url, count) {
      const answers = await run('sh', '-c', `for i in $(seq ${count}); do timeout 3 wget -qO- ${url} || exit 1; done`)
      return new Set([...answers.matchAll(/^hostname=(.*)$/gm)].map(([, name = '']) => name))
    },
    datagram: async (address, port) => hostnameIn(await runNode(sendDatagram, address, String(port))),
    resolve: async (question, type = 'A') => JSON.parse(await runNode(askNameServer, question, type)) as unknown,
  }
}

function hostnameIn(answer: string): string {
  const name = /^hostname=(.*)$/m.exec(answer)?.[1]
  if (name === undefined) throw new Error(`no echo server has answered: ${answer}`)
  return name
}

/** Asks until every one of the names, and no other, has answered. */
export async function allAnswer(ask: () => Promise<string>, names: readonly string[]): Promise<void> {
  const missing = new Set(names)
  await eventually(
    async () => {
      const name = await ask()
      if (!names.includes(name)) throw new Error(`${name} has answered`)
      missing.delete(name)
      return missing.size === 0 ? true : undefined
    },
    { what: `${names.join(', ')} answer`, timeoutMs: 60_000 },
  )
}
