import { ConnectionError } from './connection-error.ts'

/** Longest watch event that is accepted: well above the largest object etcd or the server take. */
const maxLineBytes = 32 * 1024 * 1024

/** The values of newline-delimited JSON that arrives in arbitrary pieces. Rejects with `ConnectionError` for a cut-off or oversized line. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<unknown> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      pieces.push(chunk.subarray(from, end))
      const line = Buffer.concat(pieces)
      pieces = []
      length = 0
      from = end + 1
      if (line.length > 0) yield parseLine(line)
    }
    if (from === chunk.length) continue
    pieces.push(chunk.subarray(from))
    length += chunk.length - from
    if (length > maxLineBytes) throw new ConnectionError(`A watch event is larger than ${maxLineBytes} bytes`)
  }
  const rest = Buffer.concat(pieces)
  if (rest.length > 0) yield parseLine(rest)
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch (cause) {
    throw new ConnectionError('The watch was cut off in the middle of an event', { cause })
  }
}
