import { readFile } from 'node:fs/promises'
import { readAuthorities, type FrontProxyTrust } from '#apiserver/authn/front-proxy.ts'
import { UsageError, type FlagValues } from '#cli/command.ts'

const names = 'Headers of such requests with'

/** The flags that let a proxy in front of the server say who asks. */
export const frontProxyFlags = [
  {
    name: 'requestheader-client-ca-file',
    type: 'string',
    default: '',
    help: 'Authorities of proxies that may name the user of a request in its headers (PEM; default: none may)',
  },
  {
    name: 'requestheader-allowed-names',
    type: 'list',
    default: [],
    help: 'Common names of the certificates of such proxies (default: any)',
  },
  {
    name: 'requestheader-username-headers',
    type: 'list',
    default: ['X-Remote-User'],
    help: `${names} the user's name`,
  },
  { name: 'requestheader-uid-headers', type: 'list', default: ['X-Remote-Uid'], help: `${names} the user's uid` },
  { name: 'requestheader-group-headers', type: 'list', default: ['X-Remote-Group'], help: `${names} a group each` },
  {
    name: 'requestheader-extra-headers-prefix',
    type: 'list',
    default: ['X-Remote-Extra-'],
    help: 'Beginnings of headers with what else is known of the user',
  },
] as const

/** Whom the flags let speak for others; undefined: nobody. Throws `UsageError` for a file that holds no certificate. */
export async function frontProxyTrust(
  values: FlagValues<typeof frontProxyFlags>,
): Promise<FrontProxyTrust | undefined> {
  const file = values['requestheader-client-ca-file']
  if (file === '') return undefined
  const ca = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--requestheader-client-ca-file: ${(error as Error).message}`)
  })
  if (!isBundle(ca)) throw new UsageError(`--requestheader-client-ca-file: ${file} holds no certificates`)
  return {
    ca,
    allowedNames: values['requestheader-allowed-names'],
    usernameHeaders: values['requestheader-username-headers'],
    uidHeaders: values['requestheader-uid-headers'],
    groupHeaders: values['requestheader-group-headers'],
    extraPrefixes: values['requestheader-extra-headers-prefix'],
  }
}

function isBundle(pem: string): boolean {
  try {
    return readAuthorities(pem).length > 0
  } catch {
    return false
  }
}
