import { existsSync, readFileSync } from 'node:fs'

/** For the `skip` option of tests that need a kernel of today: they change the machine they run on. */
export const skipOutside: string | false =
  process.env['CORACLE_MACHINE'] === undefined ? 'runs in the virtual machine: npm run test:machine' : false

/** A file's text without the line's end. */
export function textOf(path: string): string {
  return readFileSync(path, 'utf8').trim()
}

export function isThere(path: string): boolean {
  return existsSync(path)
}
