import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

/** One object with every field set, in the three forms that Kubernetes itself writes. */
export interface RoundtripObject {
  /** Group, version and kind, joined by dots. */
  readonly name: string
  readonly apiVersion: string
  readonly kind: string
  readonly json: string
  readonly yaml: string
  readonly protobuf: Buffer
}

/** Kubernetes' golden objects (see `testdata/README.md`). */
export function roundtripObjects(): readonly RoundtripObject[] {
  const file = join(import.meta.dirname, 'testdata/roundtrip.json.br')
  const forms = JSON.parse(brotliDecompressSync(readFileSync(file)).toString()) as Record<string, Forms>
  return Object.entries(forms).map(([name, { json, yaml, protobuf }]) => {
    const { apiVersion = '', kind = '' } = JSON.parse(json) as { apiVersion?: string; kind?: string }
    return { name, apiVersion, kind, json, yaml, protobuf: Buffer.from(protobuf, 'base64') }
  })
}

interface Forms {
  readonly json: string
  readonly yaml: string
  readonly protobuf: string
}
