/** The real kubectl 1.36, from Debian's sid suite. Run as a program it prints where the binary lies. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { unpackDebianPackages } from './debian-packages.ts'

/** Path of the kubectl binary, fetched on first use. */
export async function kubectlPath(): Promise<string> {
  const [folder = ''] = await unpackDebianPackages('sid', ['kubectl'])
  const path = join(folder, 'usr/bin/kubectl')
  if (!existsSync(path)) throw new Error(`Debian's package kubectl no longer holds usr/bin/kubectl`)
  return path
}

if (import.meta.main) process.stdout.write(`${await kubectlPath()}\n`)
