import { errcodeOf } from './sqlite-error.ts'

export type OpenFailure = 'locked' | 'not-writable' | 'disk-full' | 'corrupt' | 'too-new' | 'failed'

const explanations: Readonly<Record<OpenFailure, string>> = {
  locked: 'another process has it open',
  'not-writable': 'it cannot be created or written',
  'disk-full': 'the disk is full',
  corrupt: 'the file is damaged or is not a Coracle database',
  'too-new': 'a newer release wrote it',
  failed: 'the database failed',
}

/** A database that cannot be opened, and why; nothing was changed in it. */
export class OpenStoreError extends Error {
  readonly reason: OpenFailure
  constructor(path: string, reason: OpenFailure, cause?: unknown) {
    const detail = cause instanceof Error ? ` (${cause.message})` : ''
    super(`Cannot open the database ${path}: ${explanations[reason]}${detail}`, { cause })
    this.name = 'OpenStoreError'
    this.reason = reason
  }
}

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html) and Node's file errors. */
const reasons: Readonly<Record<string, OpenFailure>> = {
  3: 'not-writable',
  5: 'locked',
  6: 'locked',
  8: 'not-writable',
  11: 'corrupt',
  13: 'disk-full',
  14: 'not-writable',
  26: 'corrupt',
  EACCES: 'not-writable',
  EISDIR: 'not-writable',
  ENOENT: 'not-writable',
  ENOTDIR: 'not-writable',
  EEXIST: 'not-writable',
  EPERM: 'not-writable',
  EROFS: 'not-writable',
  ENOSPC: 'disk-full',
}

/** What `error`, thrown while opening `path`, means to the user. */
export function openStoreError(path: string, error: unknown): OpenStoreError {
  if (error instanceof OpenStoreError) return error
  const code = errcodeOf(error) ?? (error as NodeJS.ErrnoException).code ?? ''
  return new OpenStoreError(path, reasons[code] ?? 'failed', error)
}
