import { networkInterfaces } from 'node:os'
import { runCommand } from '#lib/command.ts'

/**
 * The address other machines reach this one at: the source address of the way to `target`, by default of the default
 * route, else the first IPv4 address of an interface that is not the loopback. Throws where there is none: pods could
 * not reach the API server.
 */
export async function machineAddress(target: string = '198.51.100.1'): Promise<string> {
  const route = await runCommand('ip', ['-4', 'route', 'get', target]).catch(() => undefined)
  const source = /\bsrc (\d+\.\d+\.\d+\.\d+)/.exec(route?.stdout ?? '')?.[1]
  const address = source !== undefined && !source.startsWith('127.') ? source : firstAddress()
  if (address === undefined) throw new Error('This machine has no IPv4 address besides the loopback; a node needs one')
  return address
}

function firstAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address
}
