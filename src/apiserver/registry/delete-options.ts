import { badRequest, invalid, isStatusError, type FieldError } from '#api/meta/status.ts'
import type { DeleteOptions } from '#api/types/meta.v1.ts'
import { decodeBody } from '#api/schema/decode.ts'
import type { ObjectNode } from '#api/schema/node.ts'
import type { RequestContext } from '../request-context.ts'
import { isTrue } from '../request-info.ts'
import { readInteger } from '../verbs/list-options.ts'
import { readBody, schemaOf } from './decode-body.ts'
import { whyUntyped } from './unrecognized-body.ts'
import { dryRunErrors } from './write-options.ts'

/** How to delete, from the body or, where that is empty, from the query. */
export interface DeleteRequest {
  readonly dryRun: boolean
  readonly gracePeriodSeconds: number | undefined
  readonly propagation: 'Orphan' | 'Background' | 'Foreground' | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
}

/** Reads and checks the options; throws `Invalid` or `BadRequest`. */
export async function readDeleteOptions(context: RequestContext): Promise<DeleteRequest> {
  const options = (await bodyOf(context)) ?? queryOf(context.request.query)
  check(options)
  const dryRun = options.dryRun ?? []
  return {
    dryRun: dryRun.length > 0,
    gracePeriodSeconds: options.gracePeriodSeconds,
    propagation: propagationOf(options),
    uid: options.preconditions?.uid,
    resourceVersion: options.preconditions?.resourceVersion,
  }
}

/** The query counts only where there is no body. */
function queryOf(query: URLSearchParams): DeleteOptions {
  const seconds = readInteger(query, 'gracePeriodSeconds')
  const orphan = query.get('orphanDependents')
  return {
    ...(query.has('dryRun') && { dryRun: query.getAll('dryRun') }),
    ...(seconds !== undefined && { gracePeriodSeconds: seconds }),
    ...(query.has('propagationPolicy') && { propagationPolicy: query.get('propagationPolicy') ?? '' }),
    ...(orphan !== null && { orphanDependents: isTrue(orphan) }),
  }
}

async function bodyOf(context: RequestContext): Promise<DeleteOptions | undefined> {
  const { value: body } = await readBody(context, deleteOptionsKind.kind)
  if (body === undefined) return undefined
  const node = schemaOf(deleteOptionsKind)
  const why = typeof body === 'string' ? whyUntyped(body) : undefined
  if (why !== undefined) throw badRequest(why)
  const object = decodeOptions(node, body)
  if (object.kind !== undefined && object.kind !== deleteOptionsKind.kind) {
    const { kind, apiVersion = '' } = object
    throw badRequest(
      `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme ${scheme}`,
    )
  }
  return object
}

/** What cannot be read is refused without the words that go before it for other bodies. */
function decodeOptions(node: ObjectNode, body: string | object): DeleteOptions {
  try {
    return decodeBody<DeleteOptions>({ ...deleteOptionsKind, node }, body, 'Ignore').object
  } catch (error) {
    if (!isStatusError(error, 'BadRequest')) throw error
    throw badRequest(error.message.replace(/^DeleteOptions in version "v1" cannot be handled as a DeleteOptions: /, ''))
  }
}

/** Upstream names a place in its own source here; clients may compare the text. */
const scheme = '"k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"'

const deleteOptionsKind = { group: '', version: 'v1', kind: 'DeleteOptions' } as const

const policies: readonly string[] = ['Orphan', 'Background', 'Foreground']

function check(options: DeleteOptions): void {
  const errors: FieldError[] = []
  const { propagationPolicy: policy, orphanDependents } = options
  if (policy !== undefined && orphanDependents !== undefined) {
    const message = `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`
    errors.push({ type: 'FieldValueInvalid', field: 'propagationPolicy', message })
  }
  if (policy !== undefined && policy !== '' && !policies.includes(policy)) {
    const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`
    errors.push({ type: 'FieldValueNotSupported', field: 'propagationPolicy', message })
  }
  errors.push(...dryRunErrors(options.dryRun ?? []))
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions', name: '' }, errors)
}

function propagationOf({ propagationPolicy, orphanDependents }: DeleteOptions): DeleteRequest['propagation'] {
  if (orphanDependents !== undefined) return orphanDependents ? 'Orphan' : 'Background'
  return policies.includes(propagationPolicy ?? '') ? (propagationPolicy as DeleteRequest['propagation']) : undefined
}
