import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { KubernetesObject } from '#api/meta/resource.ts'
import { kubectlPath } from '../../../scripts/kubectl.ts'
import { outputOf, runProgram } from './run-program.ts'
import type { ProgramOptions, ProgramResult } from './run-program.ts'

/** The real kubectl, bound to one cluster and to a home folder of its own. */
export interface Kubectl {
  /** Runs it and returns what came out, whatever the exit code. */
  run(args: readonly string[], options?: ProgramOptions): Promise<ProgramResult>
  /** Runs it, expects success and returns its standard output. Arguments are separate words. */
  output(...args: readonly string[]): Promise<string>
  /** `kubectl apply -f -` of a manifest. */
  apply(manifest: string | object, ...args: readonly string[]): Promise<string>
  /** One object, or a list's items, as data. */
  get<T extends KubernetesObject>(...args: readonly string[]): Promise<T>
  list<T extends KubernetesObject>(...args: readonly string[]): Promise<readonly T[]>
  /**
   * Watches with `kubectl get <args> --watch` and resolves with the first object for which `isDone` holds. Throws with
   * the last object seen when it takes too long.
   */
  waitFor<T extends KubernetesObject>(
    args: readonly string[],
    isDone: (object: T) => boolean,
    timeoutMs?: number,
  ): Promise<T>
}

/** Binds kubectl to a kubeconfig; `home` must be a folder of the test. */
export async function bindKubectl(kubeconfig: string, home: string): Promise<Kubectl> {
  const path = await kubectlPath()
  const environment = { KUBECONFIG: kubeconfig, HOME: home, KUBERNETES_MASTER: '' }
  const run = (args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
    runProgram(path, args, { ...options, environment })
  const output = (...args: readonly string[]): Promise<string> => outputOf(path, args, { environment })
  return {
    run,
    output,
    apply(manifest, ...args) {
      const input = typeof manifest === 'string' ? manifest : JSON.stringify(manifest)
      return outputOf(path, ['apply', '-f', '-', ...args], { environment, input })
    },
    get: async <T>(...args: readonly string[]) => JSON.parse(await output('get', '-o', 'json', ...args)) as T,
    async list<T>(...args: readonly string[]) {
      const { items } = JSON.parse(await output('get', '-o', 'json', ...args)) as { items: T[] }
      return items
    },
    waitFor: (args, isDone, timeoutMs = 60_000) => watch({ path, environment, args, isDone, timeoutMs }),
  }
}

interface WatchRequest<T> {
  readonly path: string
  readonly environment: Readonly<Record<string, string>>
  readonly args: readonly string[]
  readonly isDone: (object: T) => boolean
  readonly timeoutMs: number
}

async function watch<T>({ path, environment, args, isDone, timeoutMs }: WatchRequest<T>): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs)
  // A bare `@` prints the object as one line of JSON.
  const child = spawn(path, ['get', ...args, '--watch', '-o', 'jsonpath={@}{"\\n"}'], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let last = 'nothing'
  let complaints = ''
  child.on('error', () => undefined)
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === '') continue
      const object = JSON.parse(line) as T
      if (isDone(object)) return object
      last = line
    }
  } finally {
    child.kill()
  }
  const why = signal.aborted ? `not within ${timeoutMs / 1_000} s` : `kubectl ended: ${complaints.trim()}`
  throw new Error(`kubectl get ${args.join(' ')} --watch: ${why}; last seen: ${last}`)
}
