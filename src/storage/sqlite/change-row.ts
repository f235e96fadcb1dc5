import type { CommitPlan } from '../commit-plan.ts'
import type { ForgottenVersion } from '../mvcc.ts'

/** One change as the database keeps it; see `openDatabase`. */
export interface ChangeRow {
  readonly id: number
  readonly created: number
  readonly key: string
  readonly value: Uint8Array | undefined
}

const idsPerRevision = 4096

export function firstIdOf(revision: number): number {
  return revision * idsPerRevision
}

export function revisionOf(id: number): number {
  return Math.floor(id / idsPerRevision)
}

/** The rows of one commit. */
export function rowsOf({ revision, events, entries }: CommitPlan): ChangeRow[] {
  const firstId = firstIdOf(revision)
  if (events.length === 0) return [{ id: firstId, created: 0, key: '', value: undefined }]
  return events.map((event, position) => ({
    id: firstId + position,
    created: entries[position]?.createRevision ?? 0,
    key: event.key,
    value: event.value,
  }))
}

/** A row that only names a version to delete. */
export function rowToForget({ key, revision }: ForgottenVersion): ChangeRow {
  return { id: firstIdOf(revision), created: 0, key, value: undefined }
}

const headLength = 4
const rowHeadLength = 24

/**
 * Packs rows into one buffer, which crosses to the worker by changing hands instead of being cloned object by object:
 * a count, then per row id, created, key length, value length (all little endian), key, value.
 */
export function packRows(rows: readonly ChangeRow[]): ArrayBuffer {
  let length = headLength
  for (const { key, value } of rows) length += rowHeadLength + Buffer.byteLength(key) + (value?.length ?? 0)
  const packed = Buffer.allocUnsafeSlow(length)
  packed.writeUInt32LE(rows.length, 0)
  let offset = headLength
  for (const { id, created, key, value } of rows) {
    packed.writeDoubleLE(id, offset)
    packed.writeDoubleLE(created, offset + 8)
    const keyLength = packed.write(key, offset + rowHeadLength)
    packed.writeUInt32LE(keyLength, offset + 16)
    packed.writeUInt32LE(value?.length ?? 0, offset + 20)
    offset += rowHeadLength + keyLength
    if (value) packed.set(value, offset)
    offset += value?.length ?? 0
  }
  return packed.buffer
}

/** Calls `visit` with each packed row; the value is a view, empty for a deletion. */
export function unpackRows(
  packed: ArrayBuffer,
  visit: (id: number, created: number, key: string, value: Uint8Array) => void,
): void {
  const bytes = Buffer.from(packed)
  let offset = headLength
  for (let count = bytes.readUInt32LE(0); count > 0; count--) {
    const keyStart = offset + rowHeadLength
    const valueStart = keyStart + bytes.readUInt32LE(offset + 16)
    const end = valueStart + bytes.readUInt32LE(offset + 20)
    const key = bytes.toString('utf8', keyStart, valueStart)
    visit(bytes.readDoubleLE(offset), bytes.readDoubleLE(offset + 8), key, bytes.subarray(valueStart, end))
    offset = end
  }
}
