import { readFile } from 'node:fs/promises'
import type { DnsConfig } from '../cri/sandbox.ts'
import { parseResolvConf } from '#lib/resolv-conf.ts'

/** Files of the node that pods inherit from. */
export interface NodeFiles {
  resolvConf(): Promise<DnsConfig>
  hosts(): Promise<string>
}

/** Reads them anew each time: they change when the node's network does. */
export function linuxNodeFiles(): NodeFiles {
  return {
    async resolvConf() {
      return parseResolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => ''))
    },
    hosts: () => readFile('/etc/hosts', 'utf8').catch(() => ''),
  }
}
