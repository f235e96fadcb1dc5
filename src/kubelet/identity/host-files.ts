import { readFile } from 'node:fs/promises'
import type { DnsConfig } from '../cri/sandbox.ts'
import { parseResolvConf } from '#lib/resolv-conf.ts'

/** Files of the node that pods inherit from. */
export interface NodeFiles {
  /** The resolver's settings in a file, by default the machine's; an empty path: none. */
  resolvConf(path?: string): Promise<DnsConfig>
  hosts(): Promise<string>
}

/** Reads them anew each time: they change when the node's network does. */
export function linuxNodeFiles(): NodeFiles {
  return {
    async resolvConf(path = '/etc/resolv.conf') {
      return parseResolvConf(path === '' ? '' : await readFile(path, 'utf8').catch(() => ''))
    },
    hosts: () => readFile('/etc/hosts', 'utf8').catch(() => ''),
  }
}
