import { isIP } from 'node:net'

/** 4 or 6 for the text of an address of that family, without a zone; undefined for anything else. */
export function ipFamily(text: string): 4 | 6 | undefined {
  const family = text.includes('%') ? 0 : isIP(text)
  return family === 4 || family === 6 ? family : undefined
}
