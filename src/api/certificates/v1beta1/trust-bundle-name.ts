import { dnsSubdomain } from '../../meta/names.ts'

/** What is wrong with the name of a bundle: those of a signer begin with its name, the slash made a colon. */
export function trustBundleName(name: string, signerName: string): string[] {
  if (signerName === '') {
    if (name.includes(':')) return ['ClusterTrustBundle without signer name must not have ":" in its name']
    return dnsSubdomain(name)
  }
  const prefix = `${signerName.replaceAll('/', ':')}:`
  if (name.startsWith(prefix)) return dnsSubdomain(name.slice(prefix.length))
  return [`ClusterTrustBundle for signerName ${signerName} must be named with prefix ${prefix}`]
}

/** The signer that a bundle of this name is of; empty for one of nobody. */
export function signerOfBundle(name: string): string {
  const cut = name.lastIndexOf(':')
  return cut < 0 ? '' : name.slice(0, cut).replaceAll(':', '/')
}
