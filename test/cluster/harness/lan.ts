import { join } from 'node:path'
import { outputOf } from './run-program.ts'

/** A machine of its own as far as the network goes: a network namespace on the test's bridge. */
export interface LanMember {
  readonly name: string
  readonly address: string
  /** The words before a command that runs in it. Not `ip netns exec`: that mounts another /sys, and runc finds no cgroups. */
  readonly enter: readonly [string, ...string[]]
}

/** A bridge on this machine with a few members. */
export interface Lan extends AsyncDisposable {
  /** This machine's own address on the bridge. */
  readonly address: string
  readonly members: readonly LanMember[]
}

/** Makes a bridge and `size` network namespaces on it. Names and addresses follow from this process's id. */
export async function startLan(size: number): Promise<Lan> {
  const mark = `ct${process.pid}`
  const subnet = `10.213.${process.pid % 250}`
  const members = Array.from({ length: size }, (_, index) =>
    memberOf(`${mark}n${index + 1}`, `${subnet}.${index + 11}`),
  )
  const lan: Lan = {
    address: `${subnet}.1`,
    members,
    async [Symbol.asyncDispose]() {
      for (const { name } of members) await ip('netns', 'delete', name).catch(() => undefined)
      await ip('link', 'delete', mark).catch(() => undefined)
    },
  }
  try {
    await ip('link', 'add', mark, 'type', 'bridge')
    await ip('address', 'add', `${lan.address}/24`, 'dev', mark)
    await ip('link', 'set', mark, 'up')
    for (const member of members) await connect(member, mark, lan.address)
    return lan
  } catch (error) {
    await lan[Symbol.asyncDispose]()
    throw error
  }
}

function memberOf(name: string, address: string): LanMember {
  return { name, address, enter: ['nsenter', `--net=${join('/run/netns', name)}`] }
}

async function connect({ name, address, enter }: LanMember, bridge: string, gateway: string): Promise<void> {
  await ip('netns', 'add', name)
  await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  await ip('link', 'set', name, 'master', bridge, 'up')
  const [nsenter, ...flags] = enter
  const inside = (...args: readonly string[]): Promise<string> => outputOf(nsenter, [...flags, 'ip', ...args])
  await inside('link', 'set', 'lo', 'up')
  await inside('address', 'add', `${address}/24`, 'dev', 'eth0')
  await inside('link', 'set', 'eth0', 'up')
  await inside('route', 'add', 'default', 'via', gateway)
}

function ip(...args: readonly string[]): Promise<string> {
  return outputOf('ip', args)
}
