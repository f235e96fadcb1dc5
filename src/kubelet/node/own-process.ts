import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '#lib/command.ts'
import type { KubeletConfiguration } from '../configuration/kubelet-configuration.ts'

/** What the kernel must be set to for a node whose settings nobody is to change. */
const kernelFlags: readonly (readonly [name: string, value: string])[] = [
  ['vm/overcommit_memory', '1'],
  ['vm/panic_on_oom', '0'],
  ['kernel/panic', '10'],
  ['kernel/panic_on_oops', '1'],
  ['kernel/keys/root_maxkeys', '1000000'],
  ['kernel/keys/root_maxbytes', '25000000'],
]

/** Gives this process the limits that the configuration names, and the priority when memory runs out. */
export async function settleOwnProcess({ maxOpenFiles = 0, oomScoreAdj }: KubeletConfiguration): Promise<void> {
  if (maxOpenFiles > 0)
    await runCommand('prlimit', ['--pid', String(process.pid), `--nofile=${maxOpenFiles}:${maxOpenFiles}`])
  if (oomScoreAdj === undefined) return
  await writeFile('/proc/self/oom_score_adj', String(oomScoreAdj)).catch((error: unknown) => {
    throw new Error(
      `oomScoreAdj ${oomScoreAdj} cannot be set: ${error instanceof Error ? error.message : String(error)}`,
    )
  })
}

/** Why a node must not run on this machine, in upstream's words; empty: it may. */
export async function machineErrors(
  { protectKernelDefaults = false, failCgroupV1 = false }: KubeletConfiguration,
  machine: { readonly isCgroupV1: boolean; readonly procDir: string },
): Promise<readonly string[]> {
  const errors: string[] = []
  if (failCgroupV1 && machine.isCgroupV1)
    errors.push(
      'kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is unsupported and will be removed in a future release',
    )
  if (!protectKernelDefaults) return errors
  for (const [name, expected] of kernelFlags) {
    const actual = (await readFile(join(machine.procDir, 'sys', name), 'utf8').catch(() => expected)).trim()
    if (actual !== expected)
      errors.push(`invalid kernel flag: ${name}, expected value: ${expected}, actual value: ${actual}`)
  }
  return errors
}
