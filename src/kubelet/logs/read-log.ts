import { watch } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseCriLine } from './cri-line.ts'

export interface LogOptions {
  readonly follow: boolean
  /** Only the last so many lines; absent: all. */
  readonly tailLines?: number
  /** Only lines that are not older. */
  readonly sinceMs?: number
  /** Put the time before each line. */
  readonly timestamps: boolean
  /** Stop after so many bytes. */
  readonly limitBytes?: number
  /** Only one of the container's streams. */
  readonly stream?: 'stdout' | 'stderr'
}

export interface LogSource {
  readonly path: string
  /** Whether the container may still write. Asked when all that is there has been read. */
  readonly isRunning: () => boolean
  /** Calls the listener when the answer may have changed; the returned function ends that. */
  readonly onChange: (listener: () => void) => () => void
}

const blockBytes = 64 * 1024
/** A line that is longer than the runtime ever writes is cut. */
const maximumLineBytes = 1024 * 1024

/** The text of a container's log, in CRI's format on disk, as the options ask for it. Ends when the signal aborts. */
export async function* readLog(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  let remaining = options.limitBytes ?? Infinity
  const format = new LineFormat(options)
  for await (const line of logLines(source, options, signal)) {
    const text = format.apply(line)
    if (text === undefined) continue
    const bytes = Buffer.from(text, 'utf8')
    const piece = bytes.length > remaining ? bytes.subarray(0, remaining) : bytes
    remaining -= piece.length
    if (piece.length > 0) yield piece
    if (remaining <= 0) return
  }
}

class LineFormat {
  readonly #options: LogOptions
  #isLineStart = true

  constructor(options: LogOptions) {
    this.#options = options
  }

  apply(raw: string): string | undefined {
    const line = parseCriLine(raw)
    if (line === undefined) return undefined
    const { sinceMs, stream, timestamps } = this.#options
    if (stream !== undefined && line.stream !== stream) return undefined
    if (sinceMs !== undefined && Date.parse(line.timestamp) < sinceMs) return undefined
    const head = timestamps && this.#isLineStart ? `${line.timestamp} ` : ''
    this.#isLineStart = line.text.endsWith('\n')
    return head + line.text
  }
}

async function* logLines(source: LogSource, options: LogOptions, signal: AbortSignal): AsyncGenerator<string> {
  let file = await open(source.path, 'r')
  using changes = options.follow ? watchChanges(source, signal) : undefined
  try {
    let position = options.tailLines === undefined ? 0 : await offsetOfLastLines(file, options.tailLines)
    let rest: Buffer = Buffer.alloc(0)
    const block = Buffer.alloc(blockBytes)
    for (;;) {
      if (signal.aborted) return
      // Asked before the last read, so that nothing written before the end is missed.
      const mayGrow = changes !== undefined && source.isRunning()
      const { bytesRead } = await file.read(block, 0, blockBytes, position)
      if (bytesRead > 0) {
        position += bytesRead
        const text = Buffer.concat([rest, block.subarray(0, bytesRead)])
        const end = text.lastIndexOf(0x0a) + 1
        if (end > 0) for (const line of text.toString('utf8', 0, end - 1).split('\n')) yield line
        rest = text.length - end > maximumLineBytes ? Buffer.alloc(0) : Buffer.from(text.subarray(end))
        continue
      }
      const next = changes && (await rotated(source.path, file))
      if (next) {
        await file.close()
        file = next
        position = 0
        rest = Buffer.alloc(0)
      } else if (!mayGrow) return
      else await changes?.next()
    }
  } finally {
    await file.close()
  }
}

/** The new file at the path when the one that is open has been renamed. */
async function rotated(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [now, opened] = await Promise.all([stat(path).catch(() => undefined), file.stat()])
  return now === undefined || now.ino === opened.ino ? undefined : open(path, 'r').catch(() => undefined)
}

interface Changes {
  /** Resolves at the next change, or at once when there was one since the last call. */
  next(): Promise<void>
  [Symbol.dispose](): void
}

function watchChanges(source: LogSource, signal: AbortSignal): Changes {
  let isPending = false
  let waiter = Promise.withResolvers<void>()
  const notify = (): void => {
    isPending = true
    waiter.resolve()
  }
  const watcher = watch(dirname(source.path), { persistent: false }, notify)
  watcher.on('error', notify)
  const unlisten = source.onChange(notify)
  signal.addEventListener('abort', notify, { once: true })
  return {
    async next() {
      if (!isPending) await waiter.promise
      isPending = false
      waiter = Promise.withResolvers<void>()
    },
    [Symbol.dispose]() {
      watcher.close()
      unlisten()
      signal.removeEventListener('abort', notify)
    },
  }
}

/** Where the last `count` lines begin. Reads backwards, block by block. */
async function offsetOfLastLines(file: FileHandle, count: number): Promise<number> {
  const { size } = await file.stat()
  if (count <= 0) return size
  const block = Buffer.alloc(blockBytes)
  let seen = 0
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes)
    await file.read(block, 0, end - start, start)
    for (let index = end - start - 1; index >= 0; index--) {
      // The end of the last line does not begin another one.
      if (block[index] !== 0x0a || start + index === size - 1) continue
      seen++
      if (seen === count) return start + index + 1
    }
    end = start
  }
  return 0
}
