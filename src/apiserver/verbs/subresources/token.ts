import type { Draft } from '#api/kind.ts'
import type { ApiResponse } from '#api/meta/exchange.ts'
import { StatusError, badRequest } from '#api/meta/status.ts'
import { applySchemaDefaults } from '#api/schema/defaults.ts'
import type { TokenRequest } from '#api/types/authentication.v1.ts'
import { formatTime } from '#lib/clock.ts'
import { objectResponse } from '../../encoding/responses.ts'
import { admitMutating, admitValidating } from '../../registry/admit.ts'
import { decodeObject, schemaOf } from '../../registry/decode-body.ts'
import { trackAnswer } from '../../registry/field-managers.ts'
import { readWriteOptions } from '../../registry/write-options.ts'
import type { ResourceContext } from '../../request-context.ts'
import { defaultExpirationSeconds } from '../../tokens/token-issuer.ts'

const tokenKind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } as const

/** POST of `serviceaccounts/NAME/token`. */
export async function createToken(context: ResourceContext): Promise<ApiResponse> {
  const { server, info, request } = context
  if (server.tokens === undefined) {
    throw new StatusError('MethodNotAllowed', 'this server issues no tokens: it was started without a signing key')
  }
  const options = readWriteOptions(context, 'CreateOptions')
  const draft = await decodeObject(context, tokenKind, options.fieldValidation)
  const { metadata } = draft
  if ((metadata.name ?? '') !== '' && metadata.name !== info.name) {
    throw badRequest(`name in URL does not match name in TokenRequest object`)
  }
  metadata.name = info.name
  metadata.namespace = info.namespace
  metadata.creationTimestamp = formatTime(server.clock.now())
  metadata.uid ||= server.random.uuid()
  applySchemaDefaults(schemaOf(tokenKind), draft)
  const { spec } = draft as unknown as Draft<TokenRequest>
  spec.expirationSeconds ??= defaultExpirationSeconds
  trackAnswer(context, options, draft, schemaOf(tokenKind))
  await server.feed.current(request.signal)
  const subject = { operation: 'CREATE', object: draft, oldObject: undefined, dryRun: options.dryRun } as const
  await admitMutating(context, subject)
  await admitValidating(context, subject)
  const issued = server.tokens.issueToken(info.namespace, info.name, draft as unknown as TokenRequest)
  return objectResponse(issued, 201)
}
