import { CORE_SCHEMA, dump, load } from 'js-yaml'
import { badRequest } from '#api/meta/status.ts'

/** The first document of a YAML text. Throws `BadRequest`. Imported on first use only. */
export function parseYaml(text: string): unknown {
  try {
    return load(text, { schema: CORE_SCHEMA })
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: yaml: ${(error as Error).message.split('\n')[0] ?? ''}`)
  }
}

/** YAML with sorted keys, as upstream writes it. */
export function formatYaml(value: unknown): string {
  return dump(value, { sortKeys: true, lineWidth: -1, noRefs: true })
}
