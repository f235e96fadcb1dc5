import type { FlagValue } from '#cli/command.ts'

/** What a command was started with, as `/flagz` shows it. */
export function flagTexts(values: Readonly<Record<string, FlagValue>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}
