/** One entry of an archive. Owner is root, time is the epoch, so that equal entries give equal bytes. */
export type TarEntry =
  | { readonly path: string; readonly kind: 'file'; readonly content: Uint8Array; readonly mode?: number }
  | { readonly path: string; readonly kind: 'directory'; readonly mode?: number }
  | { readonly path: string; readonly kind: 'symlink' | 'hardlink'; readonly target: string }

const blockBytes = 512
const typeFlags = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const

/**
 * Writes a POSIX ustar archive (IEEE Std 1003.1, pax, "ustar Interchange Format"). Throws a `RangeError` for a path that
 * does not fit: 100 bytes, or 155 more before a slash.
 */
export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    if (entry.kind !== 'file') return [header(entry, 0)]
    const { content } = entry
    return [header(entry, content.length), content, Buffer.alloc(-content.length & (blockBytes - 1))]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)])
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(blockBytes)
  const [prefix, name] = splitPath(entry.kind === 'directory' ? `${entry.path}/` : entry.path)
  block.write(name, 0)
  block.write(octal(modeOf(entry), 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(size, 12), 124)
  block.write(octal(0, 12), 136)
  block.write(' '.repeat(8), 148)
  block.write(typeFlags[entry.kind], 156)
  if ('target' in entry) block.write(fitting(entry.target, 100), 157)
  block.write('ustar\x0000', 257)
  block.write('root', 265)
  block.write('root', 297)
  block.write(prefix, 345)
  // The sum is taken with its own field blank, and has six digits where other fields have seven.
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

function modeOf(entry: TarEntry): number {
  if ('target' in entry) return 0o777
  return entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644)
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}

/** A long path goes into two fields, cut at a slash that is then left out. */
function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ['', path]
  for (let cut = path.indexOf('/'); cut !== -1; cut = path.indexOf('/', cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)]
    if (name !== '' && Buffer.byteLength(name) <= 100) return [fitting(prefix, 155), name]
  }
  throw new RangeError(`Cannot archive '${path}': its last part is longer than 100 bytes`)
}

function fitting(text: string, limitBytes: number): string {
  if (Buffer.byteLength(text) <= limitBytes) return text
  throw new RangeError(`Cannot archive '${text}': it is longer than ${limitBytes} bytes`)
}
