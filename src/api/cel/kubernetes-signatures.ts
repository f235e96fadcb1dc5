import { joinSignatures, readSignatures, type Signatures } from '#lib/cel/signatures.ts'
import { standardSignatures } from '#lib/cel/standard-signatures.ts'
import { once } from '../schema/load.ts'

const quantityParts = `
quantity: (string) kubernetes.Quantity
isQuantity: (string) bool
sign: kubernetes.Quantity.() int
isGreaterThan: kubernetes.Quantity.(kubernetes.Quantity) bool
isLessThan: kubernetes.Quantity.(kubernetes.Quantity) bool
compareTo: kubernetes.Quantity.(kubernetes.Quantity) int
asApproximateFloat: kubernetes.Quantity.() double
asInteger: kubernetes.Quantity.() int
isInteger: kubernetes.Quantity.() bool
add: kubernetes.Quantity.(kubernetes.Quantity) kubernetes.Quantity | kubernetes.Quantity.(int) kubernetes.Quantity
sub: kubernetes.Quantity.(kubernetes.Quantity) kubernetes.Quantity | kubernetes.Quantity.(int) kubernetes.Quantity
`

const addresses = `
ip: (string) net.IP | net.CIDR.() net.IP
isIP: (string) bool
ip.isCanonical: (string) bool
family: net.IP.() int
isUnspecified: net.IP.() bool
isLoopback: net.IP.() bool
isLinkLocalMulticast: net.IP.() bool
isLinkLocalUnicast: net.IP.() bool
isGlobalUnicast: net.IP.() bool
string: (net.IP) string | (net.CIDR) string
cidr: (string) net.CIDR
isCIDR: (string) bool
containsIP: net.CIDR.(net.IP) bool | net.CIDR.(string) bool
containsCIDR: net.CIDR.(net.CIDR) bool | net.CIDR.(string) bool
prefixLength: net.CIDR.() int
masked: net.CIDR.() net.CIDR
`

const others = `
url: (string) kubernetes.URL
isURL: (string) bool
getScheme: kubernetes.URL.() string
getHost: kubernetes.URL.() string
getHostname: kubernetes.URL.() string
getPort: kubernetes.URL.() string
getEscapedPath: kubernetes.URL.() string
getQuery: kubernetes.URL.() map(string, list(string))
semver: (string) kubernetes.Semver | (string, bool) kubernetes.Semver
isSemver: (string) bool | (string, bool) bool
major: kubernetes.Semver.() int
minor: kubernetes.Semver.() int
patch: kubernetes.Semver.() int
isGreaterThan: kubernetes.Semver.(kubernetes.Semver) bool
isLessThan: kubernetes.Semver.(kubernetes.Semver) bool
compareTo: kubernetes.Semver.(kubernetes.Semver) int
format.named: (string) optional_type(kubernetes.NamedFormat)
validate: kubernetes.NamedFormat.(string) optional_type(list(string))
`

const formats = [
  'dns1123Label',
  'dns1123Subdomain',
  'dns1035Label',
  'qualifiedName',
  'dns1123LabelPrefix',
  'dns1123SubdomainPrefix',
  'dns1035LabelPrefix',
  'labelValue',
  'uri',
  'uuid',
  'byte',
  'date',
  'datetime',
]

const authorization = `
path: kubernetes.authorization.Authorizer.(string) kubernetes.authorization.PathCheck
group: kubernetes.authorization.Authorizer.(string) kubernetes.authorization.GroupCheck
serviceAccount: kubernetes.authorization.Authorizer.(string, string) kubernetes.authorization.Authorizer
resource: kubernetes.authorization.GroupCheck.(string) kubernetes.authorization.ResourceCheck
subresource: kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck
namespace: kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck
name: kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck
fieldSelector: kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck
labelSelector: kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.ResourceCheck
check: kubernetes.authorization.PathCheck.(string) kubernetes.authorization.Decision | kubernetes.authorization.ResourceCheck.(string) kubernetes.authorization.Decision
allowed: kubernetes.authorization.Decision.() bool
reason: kubernetes.authorization.Decision.() string
errored: kubernetes.authorization.Decision.() bool
error: kubernetes.authorization.Decision.() string
jsonpatch.escapeKey: (string) string
`

/** How the functions are called that expressions in Kubernetes may use: the language's and those of its own libraries. */
export const kubernetesSignatures: () => Signatures = once(() => {
  const named = formats.map((name) => `format.${name}: () kubernetes.NamedFormat`).join('\n')
  return joinSignatures(
    standardSignatures(),
    readSignatures(quantityParts),
    readSignatures(addresses),
    readSignatures(others + named),
    readSignatures(authorization),
  )
})
