/** SQLite's primary result code of an error that `node:sqlite` threw; undefined for any other error. */
export function errcodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}
