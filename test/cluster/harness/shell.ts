import assert from 'node:assert/strict'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { kubectlPath } from '../../../scripts/kubectl.ts'
import { runProgram } from './run-program.ts'
import type { ProgramResult } from './run-program.ts'

/** One line for the shell, what it must print (on either output), and its exit code, by default 0. */
export type Step = readonly [line: string, output: RegExp | string, code?: number]

/** A shell in a folder of its own, with the real kubectl, as somebody uses it who works in one namespace. */
export interface Shell {
  readonly folder: string
  run(line: string): Promise<ProgramResult>
  /** Runs the lines one after another; each must print what its step says. */
  expect(...steps: readonly Step[]): Promise<void>
  /** Writes a file into the folder: text as it is, anything else as JSON. */
  write(name: string, content: string | object): Promise<void>
}

/** Makes a namespace and a shell that works in it. The folder lies beside the kubeconfig and goes with it. */
export async function openShell(kubeconfig: string, namespace: string): Promise<Shell> {
  const folder = join(dirname(kubeconfig), `shell-${namespace}`)
  await mkdir(folder)
  const own = join(folder, 'kubeconfig')
  await copyFile(kubeconfig, own)
  const path = [dirname(await kubectlPath()), process.env['PATH']].join(delimiter)
  const environment = { KUBECONFIG: own, HOME: folder, PATH: path, KUBERNETES_MASTER: '', KUBECACHEDIR: folder }
  const run = (line: string): Promise<ProgramResult> =>
    runProgram('/bin/sh', ['-c', `cd '${folder}' && ${line}`], { environment, timeoutMs: 60_000 })
  const shell: Shell = {
    folder,
    run,
    async expect(...steps) {
      for (const [line, output, code = 0] of steps) {
        const result = await run(line)
        const printed = result.stdout + result.stderr
        assert.equal(result.code, code, `${line}\nended with ${result.code}:\n${printed}`)
        if (typeof output === 'string') assert.equal(printed.trimEnd(), output, line)
        else assert.match(printed, output, line)
      }
    },
    write: (name, content) =>
      writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o755 }),
  }
  await shell.expect(
    [`kubectl create namespace ${namespace}`, `namespace/${namespace} created`],
    [`kubectl config set-context --current --namespace ${namespace}`, /modified/],
    [`kubectl wait serviceaccount/default --for=create --timeout=20s`, /condition met/],
  )
  return shell
}
