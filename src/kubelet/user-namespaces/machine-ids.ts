import { readFile } from 'node:fs/promises'
import { runCommand } from '#lib/command.ts'
import { idOwner, type IdSource } from './node-ids.ts'

/** What this machine sets aside. */
export const machineIds: IdSource = {
  async hasOwner() {
    const users = await readFile('/etc/passwd', 'utf8').catch(() => '')
    return users.split('\n').some((line) => line.startsWith(`${idOwner}:`))
  },
  async subordinates(kind) {
    try {
      return (await runCommand('getsubids', kind === 'users' ? [idOwner] : ['-g', idOwner])).stdout
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: number }
      if (code === undefined && message.endsWith('ENOENT')) return undefined
      const names = kind === 'users' ? 'uids' : 'gids'
      throw new Error(`error retrieving additional ${names} for user "${idOwner}": ${message}`, { cause: error })
    }
  },
}
