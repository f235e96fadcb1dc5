import type { ApiResponse } from '#api/meta/exchange.ts'
import { textResponse } from '../encoding/responses.ts'
import type { RequestContext } from '../request-context.ts'
import { jwksContentType, openIdConfigurationContentType } from '../tokens/openid.ts'

/** What others verify service-account tokens with (OpenID Connect Discovery); undefined for other paths. */
export function openId({ request, server }: RequestContext): ApiResponse | undefined {
  if (server.tokens === undefined) return undefined
  if (request.path === '/openid/v1/jwks') return document(server.tokens.keySet(), jwksContentType)
  if (request.path !== '/.well-known/openid-configuration') return undefined
  return document(server.tokens.configuration(), openIdConfigurationContentType)
}

function document(body: object, contentType: string): ApiResponse {
  return textResponse(JSON.stringify(body), 200, contentType)
}
