import { WireWriter } from '#api/protobuf/wire-writer.ts'

/**
 * The Swagger 2.0 document as protobuf (package `openapi.v2`), the one form that kubectl asks `/openapi/v2` for: it
 * reads operations' parameters and the definitions. Field numbers are those of that package; of a message only the
 * fields that our document has are listed.
 */
type FieldKind =
  | 'string'
  | 'strings'
  | 'bool'
  /** A message of the table. */
  | { readonly message: string }
  | { readonly messages: string }
  /** A JSON object as repeated `{name, value}` pairs in the message's field of this number. */
  | { readonly named: string }
  /** A value of any shape, as YAML text. */
  | 'any'
  | 'anys'

type MessageRows = Readonly<Record<string, readonly [number, FieldKind]>>

const parameter: MessageRows = {
  required: [1, 'bool'],
  in: [2, 'string'],
  name: [4, 'string'],
  type: [6, 'string'],
  uniqueItems: [18, 'bool'],
}

const operation: MessageRows = {
  description: [3, 'string'],
  operationId: [5, 'string'],
  parameters: [8, { messages: 'ParametersItem' }],
  responses: [9, { message: 'Responses' }],
}

const methods = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 }

const tables: Readonly<Record<string, MessageRows>> = {
  Document: {
    swagger: [1, 'string'],
    info: [2, { message: 'Info' }],
    paths: [8, { message: 'Paths' }],
    definitions: [9, { message: 'Definitions' }],
  },
  Info: { title: [1, 'string'], version: [2, 'string'] },
  Paths: { '*': [2, { named: 'PathItem' }] },
  PathItem: Object.fromEntries(
    Object.entries(methods).map(([name, number]) => [name, [number, { message: 'Operation' }] as const]),
  ),
  Operation: operation,
  QueryParameter: parameter,
  BodyParameter: {
    name: [2, 'string'],
    in: [3, 'string'],
    required: [4, 'bool'],
    schema: [5, { message: 'Schema' }],
  },
  Responses: { '*': [1, { named: 'ResponseValue' }] },
  Response: { description: [1, 'string'] },
  Definitions: { '*': [1, { named: 'Schema' }] },
  Schema: {
    $ref: [1, 'string'],
    format: [2, 'string'],
    description: [4, 'string'],
    default: [5, 'any'],
    required: [19, 'strings'],
    enum: [20, 'anys'],
    additionalProperties: [21, { message: 'AdditionalPropertiesItem' }],
    type: [22, { message: 'TypeItem' }],
    items: [23, { message: 'ItemsItem' }],
    allOf: [24, { messages: 'Schema' }],
    properties: [25, { message: 'Properties' }],
  },
  Properties: { '*': [1, { named: 'Schema' }] },
}

/** Messages that wrap a JSON value which is no object with the same fields. */
const wrappers: Readonly<Record<string, (writer: WireWriter, value: unknown) => void>> = {
  TypeItem: (writer, value) => writeText(writer, 1, String(value)),
  ItemsItem: (writer, value) => writeNested(writer, 1, () => writeMessage(writer, 'Schema', value)),
  AdditionalPropertiesItem: (writer, value) => writeNested(writer, 1, () => writeMessage(writer, 'Schema', value)),
  // ParametersItem.parameter → Parameter.body_parameter
  // ParametersItem.parameter → Parameter.non_body_parameter → NonBodyParameter.query_parameter_sub_schema
  ParametersItem: (writer, value) =>
    writeNested(writer, 1, () => {
      if ((value as { in?: string }).in === 'body') {
        return writeNested(writer, 1, () => writeMessage(writer, 'BodyParameter', value))
      }
      writeNested(writer, 2, () => writeNested(writer, 3, () => writeMessage(writer, 'QueryParameter', value)))
    }),
  ResponseValue: (writer, value) => writeNested(writer, 1, () => writeMessage(writer, 'Response', value)),
}

const extensionNumbers: Readonly<Record<string, number>> = { Operation: 13, Schema: 31, PathItem: 10, Document: 16 }

/** The bytes of a Swagger 2.0 document. */
export function encodeOpenApiV2(document: object): Buffer {
  const writer = new WireWriter()
  writeMessage(writer, 'Document', document)
  return writer.finish()
}

function writeMessage(writer: WireWriter, name: string, value: unknown): void {
  const wrap = wrappers[name]
  if (wrap) return wrap(writer, value)
  const rows = tables[name] ?? {}
  const object = value as Readonly<Record<string, unknown>>
  const everything = rows['*']
  if (everything) return writeField(writer, everything[0], everything[1], object)
  const extensions = Object.entries(object).filter(([key]) => key.startsWith('x-'))
  for (const [key, extension] of extensions.reverse()) {
    writeNested(writer, extensionNumbers[name] ?? 0, () => {
      writeNested(writer, 2, () => writeText(writer, 2, JSON.stringify(extension)))
      writeText(writer, 1, key)
    })
  }
  const ordered = Object.entries(rows).sort(([, [a]], [, [b]]) => b - a)
  for (const [key, [number, kind]] of ordered) {
    if (object[key] !== undefined) writeField(writer, number, kind, object[key])
  }
}

function writeField(writer: WireWriter, number: number, kind: FieldKind, value: unknown): void {
  if (kind === 'string') return writeText(writer, number, String(value))
  if (kind === 'any') return writeNested(writer, number, () => writeText(writer, 2, JSON.stringify(value)))
  if (kind === 'bool') {
    writer.varint(value === true ? 1 : 0)
    return writer.tag(number, 0)
  }
  if (kind === 'strings' || kind === 'anys') {
    const one = kind === 'strings' ? 'string' : 'any'
    for (const item of (value as readonly unknown[]).toReversed()) writeField(writer, number, one, item)
    return
  }
  if ('message' in kind) return writeNested(writer, number, () => writeMessage(writer, kind.message, value))
  if ('messages' in kind) {
    for (const item of (value as readonly unknown[]).toReversed()) {
      writeNested(writer, number, () => writeMessage(writer, kind.messages, item))
    }
    return
  }
  for (const [name, item] of Object.entries(value as object).reverse()) {
    writeNested(writer, number, () => {
      writeNested(writer, 2, () => writeMessage(writer, kind.named, item))
      writeText(writer, 1, name)
    })
  }
}

function writeNested(writer: WireWriter, number: number, write: () => void): void {
  const before = writer.length
  write()
  writer.varint(writer.length - before)
  writer.tag(number, 2)
}

function writeText(writer: WireWriter, number: number, text: string): void {
  writer.string(text)
  writer.tag(number, 2)
}
