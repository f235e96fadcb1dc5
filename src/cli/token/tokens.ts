import {
  bootstrapTokenFacts,
  bootstrapTokenName,
  bootstrapTokenNamespace,
  bootstrapTokenSecret,
  bootstrapTokenType,
  type BootstrapTokenFacts,
} from '#api/core/v1/bootstrap-token.ts'
import { isStatusError } from '#api/meta/status.ts'
import { secrets } from '#api/types/resources.ts'
import type { Client } from '#client/client.ts'
import type { Random } from '#lib/random.ts'

export interface TokenOptions {
  readonly description: string
  readonly extraGroups: readonly string[]
  /** Absent: the token never expires. */
  readonly expiresAtMs?: number
}

/** Makes a bootstrap token in the cluster; answers `ID.SECRET`. */
export async function createToken(client: Client, random: Random, options: TokenOptions): Promise<string> {
  const id = randomWord(random, 6)
  const secret = randomWord(random, 16)
  await client.resource(secrets, bootstrapTokenNamespace).create(bootstrapTokenSecret({ ...options, id, secret }))
  return `${id}.${secret}`
}

/** All bootstrap tokens of the cluster by id, expired ones too. */
export async function listTokens(client: Client): Promise<readonly BootstrapTokenFacts[]> {
  const { items } = await client
    .resource(secrets, bootstrapTokenNamespace)
    .list({ fieldSelector: `type=${bootstrapTokenType}` })
  return items
    .map(bootstrapTokenFacts)
    .filter((token) => token !== undefined)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Takes an id or a whole token. Throws one sentence where there is none of that id. */
export async function deleteToken(client: Client, idOrToken: string): Promise<string> {
  const [id = ''] = idOrToken.split('.')
  if (!/^[a-z0-9]{6}$/.test(id)) throw new Error(`"${id}" is no token id: six characters of a-z and 0-9`)
  try {
    await client.resource(secrets, bootstrapTokenNamespace).delete(bootstrapTokenName(id))
    return id
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error
    throw new Error(`There is no token "${id}"`, { cause: error })
  }
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Letters from the secure source, each equally likely: bytes that would favour some letters are thrown away. */
function randomWord(random: Random, length: number): string {
  let word = ''
  while (word.length < length) {
    for (const byte of random.bytes(32))
      if (byte < 252 && word.length < length) word += alphabet[byte % alphabet.length]
  }
  return word
}
