import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import type { Node } from '#api/types/core.v1.ts'
import type { SigningRequest } from '#lib/x509/signing-request.ts'

/**
 * Why a well-formed request for a kubelet's serving certificate must wait for a person, or undefined when it may be
 * signed at once: a node asks for its own name and its own addresses, none of which another node has.
 */
export function servingRefusal(
  request: SigningRequest,
  { username }: CertificateSigningRequest['spec'],
  nodes: readonly Node[],
): string | undefined {
  if (username !== request.subject.commonName) return 'the requester is not the node that the request names'
  const name = username.replace(/^system:node:/, '')
  const node = nodes.find(({ metadata }) => metadata.name === name)
  if (node === undefined) return 'there is no such node'
  const foreignName = request.dnsNames.find((dnsName) => dnsName !== name)
  if (foreignName !== undefined) return `the DNS name ${foreignName} is not the node's name`
  const own = addressesOf(node)
  const unknown = request.ipAddresses.find((address) => !own.includes(address))
  if (unknown !== undefined) return `${unknown} is not an address of the node`
  // Nodes write their own addresses: one must not be certified for those of another.
  const others = nodes.filter((other) => other !== node).flatMap(addressesOf)
  const shared = request.ipAddresses.find((address) => others.includes(address))
  return shared === undefined ? undefined : `${shared} is also an address of another node`
}

function addressesOf({ status }: Node): readonly string[] {
  const addresses = (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP' || type === 'ExternalIP')
  return addresses.map(({ address }) => address)
}
