import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodSpec } from '#api/types/core.v1.ts'
import { hostNetworkHostsFile, hostsFile } from './hosts-file.ts'
import { parseResolvConf } from '#lib/resolv-conf.ts'
import { podDns } from './pod-dns.ts'

function pod(spec: Partial<PodSpec>): Pod {
  const metadata = { name: 'p', namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], ...spec } }
}

const host = parseResolvConf(
  '# c\nnameserver 9.9.9.9 ; x\nsearch old.example\nsearch corp.example. lan\noptions edns0\n',
)

test('resolv.conf of the node: the last search line counts', () => {
  assert.deepEqual(host, { servers: ['9.9.9.9'], searches: ['corp.example', 'lan'], options: ['edns0'] })
})

test('resolvers by policy', () => {
  const input = { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', host }
  const cluster = {
    servers: ['10.96.0.10'],
    searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example', 'lan'],
    options: ['ndots:5'],
  }
  const cases: readonly [Partial<PodSpec>, object][] = [
    [{}, cluster],
    [{ hostNetwork: true }, host],
    [{ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, cluster],
    [{ dnsPolicy: 'Default' }, host],
    [
      {
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['1.1.1.1'], searches: ['a'], options: [{ name: 'ndots', value: '2' }] },
      },
      { servers: ['1.1.1.1'], searches: ['a'], options: ['ndots:2'] },
    ],
    [
      { dnsConfig: { options: [{ name: 'ndots', value: '1' }, { name: 'edns0' }] } },
      { ...cluster, options: ['ndots:1', 'edns0'] },
    ],
  ]
  for (const [spec, expected] of cases) assert.deepEqual(podDns(pod(spec), input), expected, JSON.stringify(spec))
  assert.deepEqual(podDns(pod({}), { ...input, clusterDns: [] }), host)
})

test('/etc/hosts', () => {
  const text = hostsFile({
    podIps: ['10.0.0.2', 'fd00::2'],
    hostname: 'web',
    fullName: 'web.sub.ns.svc.cluster.local',
    aliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }],
  })
  assert.equal(
    text,
    `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
10.0.0.2\tweb.sub.ns.svc.cluster.local\tweb
fd00::2\tweb.sub.ns.svc.cluster.local\tweb

# Entries added by HostAliases.
1.2.3.4\ta\tb
`,
  )
  assert.equal(
    hostNetworkHostsFile('127.0.0.1 n\n', []),
    '# Kubernetes-managed hosts file (host network).\n127.0.0.1 n\n',
  )
})
