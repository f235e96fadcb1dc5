import type { MessageInitShape } from '@bufbuild/protobuf'
import { checkShape } from '../commit-plan.ts'
import { ConflictError, type Change } from '../store.ts'
import { entryOf } from './entry.ts'
import { Compare_Target } from './generated/etcd_pb.ts'
import type { CompareSchema, RequestOpSchema, TxnRequestSchema, TxnResponse } from './generated/etcd_pb.ts'
import type { KeySpace } from './key-space.ts'

type Operation = MessageInitShape<typeof RequestOpSchema>
type Transaction = MessageInitShape<typeof TxnRequestSchema>

/** etcd's default for `--max-txn-ops`: the operations, or conditions, of one transaction with those around it. */
const maxOperations = 128
const operationsPerNestedTransaction = maxOperations / 2

/**
 * A commit as one etcd transaction: every condition is a comparison, and if one fails the keys with conditions are
 * read instead. A commit with more operations than etcd takes becomes transactions inside one, which share its
 * revision. A commit that may change nothing writes the marker, because every commit takes a revision.
 * Throws `RangeError` for a malformed commit.
 */
export function commitTransaction(changes: readonly Change[], space: KeySpace): Transaction {
  checkShape(changes)
  const operations = changes.map((change) => operationOf(change, space))
  if (!changes.some(certainlyChanges)) operations.push(putOf(space.marker, new Uint8Array()))
  const conditions = conditionsOf(changes)
  return {
    compare: conditions.map((change) => comparisonOf(change, space)),
    success: operations.length > maxOperations ? nested(operations) : operations,
    failure: conditions.map(({ key }) => ({ request: { case: 'requestRange', value: { key: space.encode(key) } } })),
  }
}

/** Why the transaction made for these changes did not succeed: the first condition that does not hold. */
export function conflictOf(changes: readonly Change[], { responses }: TxnResponse): ConflictError {
  for (const [position, { key, ifRevision }] of conditionsOf(changes).entries()) {
    const response = responses[position]?.response
    const stored = response?.case === 'responseRange' ? response.value.kvs[0] : undefined
    const current = stored && entryOf(key, stored)
    if ((current?.modRevision ?? 0) !== ifRevision) return new ConflictError(key, current)
  }
  throw new Error('etcd refused a transaction whose conditions all hold')
}

function conditionsOf(changes: readonly Change[]): Change[] {
  return changes.filter((change) => change.ifRevision !== undefined)
}

function certainlyChanges(change: Change): boolean {
  return 'value' in change || (change.ifRevision ?? 0) > 0
}

function operationOf(change: Change, space: KeySpace): Operation {
  const key = space.encode(change.key)
  return 'value' in change ? putOf(key, change.value) : { request: { case: 'requestDeleteRange', value: { key } } }
}

function putOf(key: Uint8Array, value: Uint8Array): Operation {
  return { request: { case: 'requestPut', value: { key, value } } }
}

function comparisonOf({ key, ifRevision = 0 }: Change, space: KeySpace): MessageInitShape<typeof CompareSchema> {
  const modRevision = BigInt(ifRevision)
  return {
    target: Compare_Target.MOD,
    key: space.encode(key),
    targetUnion: { case: 'modRevision', value: modRevision },
  }
}

function nested(operations: readonly Operation[]): Operation[] {
  const transactions: Operation[] = []
  for (let start = 0; start < operations.length; start += operationsPerNestedTransaction) {
    const success = operations.slice(start, start + operationsPerNestedTransaction)
    transactions.push({ request: { case: 'requestTxn', value: { success } } })
  }
  return transactions
}
