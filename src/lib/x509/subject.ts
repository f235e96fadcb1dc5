import { DerError, objectIdentifier, readElements, readObjectIdentifier, sequence, set, utf8 } from './der.ts'

/** The parts of a distinguished name that Kubernetes gives meaning to: user name and groups. */
export interface Subject {
  readonly commonName: string
  readonly organizations?: readonly string[]
}

const commonNameId = '2.5.4.3'
const organizationId = '2.5.4.10'

/** The name as DER, without what is empty; organizations come first, each in its own set, as Go's writer orders them. */
export function encodeSubject(subject: Subject): Buffer {
  const attribute = (id: string, value: string): Buffer => sequence(objectIdentifier(id), utf8(value))
  const organizations = (subject.organizations ?? [])
    .map((value) => attribute(organizationId, value))
    .sort(Buffer.compare)
  const sets = organizations.length === 0 ? [] : [set(...organizations)]
  const own = subject.commonName === '' ? [] : [set(attribute(commonNameId, subject.commonName))]
  return sequence(...sets, ...own)
}

/** A name as parsed, with the object identifiers of the attributes that are neither CN nor O. */
export interface ParsedSubject extends Subject {
  readonly organizations: readonly string[]
  readonly otherAttributes: readonly string[]
}

/** Reads the contents of a Name element. */
export function decodeSubject(body: Buffer): ParsedSubject {
  let commonName = ''
  const organizations: string[] = []
  const otherAttributes: string[] = []
  for (const relative of readElements(body)) {
    for (const attribute of readElements(relative.body)) {
      const [id, value] = readElements(attribute.body)
      if (id === undefined || value === undefined) throw new DerError('name attribute without value')
      const name = readObjectIdentifier(id.body)
      if (name === commonNameId) commonName = value.body.toString('utf8')
      else if (name === organizationId) organizations.push(value.body.toString('utf8'))
      else otherAttributes.push(name)
    }
  }
  return { commonName, organizations, otherAttributes }
}
