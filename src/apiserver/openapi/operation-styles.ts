import type { Parameter } from './operation-parameters.ts'
import type { Exchange, OperationStyle } from './path-objects.ts'

type Json = Record<string, unknown>

const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const streamTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']
const patchTypes = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]
/** Objects of definitions are never read or written as protobuf, and have no merge keys to patch by. */
const customTypes = ['application/json', 'application/yaml']
const customPatchTypes = patchTypes.slice(0, 3)
const streamed: ReadonlySet<string> = new Set(['list', 'watch', 'watchlist'])

/** The forms that the answer of a verb can have. */
function producedBy({ verb, answers, isCustom }: Exchange): readonly string[] {
  if (isCustom === true) return customTypes
  if (verb === 'connect') return ['*/*']
  if (answers === undefined) return ['text/plain', ...objectTypes]
  return streamed.has(verb) ? [...objectTypes, ...streamTypes] : objectTypes
}

/** The forms that a verb takes its body in. */
function consumedBy({ verb, isCustom }: Exchange): readonly string[] {
  if (verb === 'patch') return isCustom === true ? customPatchTypes : patchTypes
  return isCustom === true ? customTypes : ['*/*']
}

const phrases: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }

function responses(codes: readonly number[], answer: Json): Json {
  const rows = codes.map((code) => [code, { description: phrases[code], ...answer }] as const)
  return { ...Object.fromEntries(rows), 401: { description: 'Unauthorized' } }
}

/** OpenAPI 3.0. */
export const styleV3: OperationStyle = {
  operation(parameters, exchange) {
    const { verb, takes, answers, codes } = exchange
    const schema = answers === undefined ? { type: 'string' } : { $ref: `#/components/schemas/${answers}` }
    const body = takes && contentOf(consumedBy(exchange), { $ref: `#/components/schemas/${takes}` })
    const isOptional = verb === 'delete' || verb === 'deletecollection'
    return {
      ...(parameters.length > 0 && { parameters: parameters.map(styleV3.parameter) }),
      ...(body && { requestBody: { content: body, ...(!isOptional && { required: true }) } }),
      responses: responses(codes, { content: contentOf(producedBy(exchange), schema) }),
    }
  },
  parameter: ({ name, in: place, type, description }) => ({
    name,
    in: place,
    ...(description !== undefined && { description }),
    ...(place === 'path' && { required: true }),
    schema: { type, uniqueItems: true },
  }),
}

function contentOf(types: readonly string[], schema: Json): Json {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

/** Swagger 2.0. The body is a parameter there. */
export const styleV2: OperationStyle = {
  operation(parameters, exchange) {
    const { verb, takes, answers, codes } = exchange
    const schema = answers === undefined ? { type: 'string' } : { $ref: `#/definitions/${answers}` }
    const isOptional = verb === 'delete' || verb === 'deletecollection'
    const required = { ...(!isOptional && { required: true }) }
    const body = { name: 'body', in: 'body', ...required, schema: { $ref: `#/definitions/${takes}` } }
    const all = [...(takes === undefined ? [] : [body]), ...parameters.map(styleV2.parameter)]
    return {
      consumes: consumedBy(exchange),
      produces: producedBy(exchange),
      ...(all.length > 0 && { parameters: all }),
      responses: responses(codes, { schema }),
    }
  },
  parameter: ({ name, in: place, type, description }: Parameter) => ({
    name,
    in: place,
    ...(description !== undefined && { description }),
    ...(place === 'path' && { required: true }),
    type,
    uniqueItems: true,
  }),
}
