/** Turns proto files into TypeScript with buf and protoc-gen-es, for the programs that generate a room's messages. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const packages = join(import.meta.dirname, '../node_modules')

/** The TypeScript files, by name, that the proto files (text by name) become. */
export function protobufCode(protos: Readonly<Record<string, string>>): Map<string, string> {
  const work = mkdtempSync(join(tmpdir(), 'coracle-proto-'))
  try {
    mkdirSync(join(work, 'proto'))
    for (const [name, text] of Object.entries(protos)) writeFileSync(join(work, 'proto', name), text)
    const plugin = {
      local: [process.execPath, join(packages, '@bufbuild/protoc-gen-es/bin/protoc-gen-es')],
      out: 'out',
      opt: ['target=ts', 'erasable_syntax=true', 'import_extension=ts'],
    }
    const template = JSON.stringify({ version: 'v2', inputs: [{ directory: 'proto' }], plugins: [plugin] })
    const buf = join(packages, '@bufbuild/buf/bin/buf')
    execFileSync(process.execPath, [buf, 'generate', '--template', template], { cwd: work, stdio: 'inherit' })
    const names = readdirSync(join(work, 'out')).sort()
    // Comments only repeat the proto file, and every start would have to read past them.
    const lean = (text: string): string => text.replaceAll(/^ *\/\*\*[^]*?\*\/\n/gm, '')
    return new Map(names.map((name) => [name, lean(readFileSync(join(work, 'out', name), 'utf8'))]))
  } finally {
    rmSync(work, { recursive: true })
  }
}

/** Writes the files into `folder` and nothing else; with `--check` on the command line, fails when it holds others. */
export function writeGenerated(folder: string, files: ReadonlyMap<string, string>, program: string): void {
  if (process.argv.includes('--check')) {
    const current = readdirSync(folder).sort()
    const isStale = [...files].some(
      ([name, text]) => !current.includes(name) || readFileSync(join(folder, name), 'utf8') !== text,
    )
    if (isStale || current.length !== files.size) {
      process.stderr.write(`${folder} is stale: run node ${program}\n`)
      process.exitCode = 1
    }
    return
  }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
}
