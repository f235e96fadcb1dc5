import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What a node's network needs of the kernel. */
const wanted: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.conf.all.route_localnet': '1',
}

function pathOf(name: string): string {
  return join('/proc/sys', name.replaceAll('.', '/'))
}

/** Sets the sysctls a node needs, and remembers in `recordFile` what stood there before the first time. */
export async function applySysctls(recordFile: string): Promise<void> {
  const before = await readRecord(recordFile)
  if (before === undefined) {
    const found = Object.keys(wanted).map((name) => [name, readFileSync(pathOf(name), 'utf8').trim()])
    await mkdir(dirname(recordFile), { recursive: true, mode: 0o700 })
    await writeFile(recordFile, JSON.stringify(Object.fromEntries(found)), { mode: 0o600 })
  }
  for (const [name, value] of Object.entries(wanted)) await writeFile(pathOf(name), value)
}

/** Puts back what `applySysctls` found. */
export async function restoreSysctls(recordFile: string): Promise<void> {
  for (const [name, value] of Object.entries((await readRecord(recordFile)) ?? {})) {
    await writeFile(pathOf(name), value)
  }
}

async function readRecord(recordFile: string): Promise<Record<string, string> | undefined> {
  const text = await readFile(recordFile, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as Record<string, string>)
}
