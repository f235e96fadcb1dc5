import { badRequest } from '#api/meta/status.ts'
import { readFlag } from './log-options.ts'

/** Which streams a remote command has. */
export interface StreamOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** Reads `PodExecOptions` or `PodAttachOptions`; a terminal has no separate stderr. Throws BadRequest when no stream is asked for. */
export function parseStreamOptions(query: URLSearchParams): StreamOptions {
  const tty = readFlag(query, 'tty')
  const options = {
    stdin: readFlag(query, 'stdin'),
    stdout: readFlag(query, 'stdout'),
    stderr: readFlag(query, 'stderr') && !tty,
    tty,
  }
  if (options.stdin || options.stdout || options.stderr) return options
  throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
}

/** The query a kubelet understands: its names for the streams, and the command. */
export function kubeletQuery(options: StreamOptions, command: readonly string[]): string {
  const query = new URLSearchParams(command.map((word) => ['command', word]))
  if (options.stdin) query.set('input', '1')
  if (options.stdout) query.set('output', '1')
  if (options.stderr) query.set('error', '1')
  if (options.tty) query.set('tty', '1')
  return query.toString()
}
