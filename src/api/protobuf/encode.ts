import type { MessageTable, WireField, WireValue } from './message-table.ts'
import { timestampParts } from './timestamps.ts'
import { WireWriter } from './wire-writer.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Encodes an object of valid JSON shape as the message; fields that the message lacks are left out. */
export function encodeMessage(object: unknown, table: MessageTable): Buffer {
  const writer = new WireWriter()
  writeValue(writer, object, table)
  return writer.finish()
}

function writeValue(writer: WireWriter, value: unknown, table: MessageTable): void {
  if (table.special !== undefined) return writeSpecial(writer, value, table)
  writeFields(writer, value as JsonObject, table)
}

function writeFields(writer: WireWriter, object: JsonObject, table: MessageTable): void {
  for (let index = table.fields.length - 1; index >= 0; index--) {
    const field = table.fields[index] as WireField
    if (field.name === '') writeInline(writer, object, field)
    else if (object[field.name] !== undefined && object[field.name] !== null)
      writeField(writer, object[field.name], field)
  }
}

/** A message whose fields stand in the same JSON object; Go writes it even when it is empty. */
function writeInline(writer: WireWriter, object: JsonObject, { number, value }: WireField): void {
  if (value.type !== 'message') return
  const before = writer.length
  writeFields(writer, object, value.table())
  writer.varint(writer.length - before)
  writer.tag(number, 2)
}

function writeField(writer: WireWriter, value: unknown, field: WireField): void {
  if (field.shape === 'single') return writeSingle(writer, value, field.value, field.number)
  if (field.shape === 'repeated') {
    for (const item of (value as readonly unknown[]).toReversed()) writeSingle(writer, item, field.value, field.number)
    return
  }
  for (const [key, item] of Object.entries(value as JsonObject)
    .sort(byKey)
    .reverse()) {
    const before = writer.length
    writeSingle(writer, item, field.value, 2)
    writer.string(key)
    writer.tag(1, 2)
    writer.varint(writer.length - before)
    writer.tag(field.number, 2)
  }
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}

function writeSingle(writer: WireWriter, value: unknown, wire: WireValue, number: number): void {
  switch (wire.type) {
    case 'string':
      writer.string(String(value))
      return writer.tag(number, 2)
    case 'int':
      writer.int(Number(value))
      return writer.tag(number, 0)
    case 'bool':
      writer.varint(value === true ? 1 : 0)
      return writer.tag(number, 0)
    case 'double':
      writer.double(Number(value))
      return writer.tag(number, 1)
    case 'bytes':
      writer.bytes(Buffer.from(String(value), 'base64'))
      return writer.tag(number, 2)
    case 'message': {
      const before = writer.length
      writeValue(writer, value, wire.table())
      writer.varint(writer.length - before)
      return writer.tag(number, 2)
    }
  }
}

function writeSpecial(writer: WireWriter, value: unknown, table: MessageTable): void {
  if (table.special === 'json' || table.special === 'rawExtension') {
    writer.bytes(Buffer.from(JSON.stringify(value)))
    return writer.tag(1, 2)
  }
  writeFields(writer, specialFields(value, table.special), table)
}

/** The fields that the message of a special form has for a JSON value. */
function specialFields(value: unknown, form: MessageTable['special']): JsonObject {
  switch (form) {
    case 'quantity':
      return { string: String(value) }
    case 'time': {
      return { seconds: timestampParts(String(value)).seconds, nanos: 0 }
    }
    case 'microTime':
      return timestampParts(String(value))
    case 'intOrString':
      return typeof value === 'number' ? { type: 0, intVal: value, strVal: '' } : { type: 1, intVal: 0, strVal: value }
    case 'list':
      return { items: value }
    case 'schemaOrArray':
      return Array.isArray(value) ? { jSONSchemas: value } : { schema: value }
    case 'schemaOrBool':
      return typeof value === 'boolean' ? { allows: value } : { allows: true, schema: value }
    default:
      return Array.isArray(value) ? { property: value } : { schema: value }
  }
}
