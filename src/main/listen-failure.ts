/** What a failed `listen` means, as one sentence; `what` says who wanted the port, where it is not the command itself. */
export function listenFailure(error: unknown, where: string, what = ''): unknown {
  const subject = `Cannot listen on ${where}${what === '' ? '' : ` (${what})`}`
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return new Error(`${subject}: another program uses the port`)
  if (code === 'EADDRNOTAVAIL') return new Error(`${subject}: this machine does not have the address`)
  return code === 'EACCES' ? new Error(`${subject}: permission denied`) : error
}
