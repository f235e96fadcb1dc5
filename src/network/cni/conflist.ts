/** What the node's pod network looks like. */
export interface PodNetwork {
  /** Network name in CNI's state folder; must differ between clusters on one machine. */
  readonly name: string
  /** Bridge interface, at most 15 characters. */
  readonly bridge: string
  /** The node's pod CIDR, such as `10.244.0.0/24`; its first address becomes the bridge's. */
  readonly podCidr: string
  /** Where host-local keeps the addresses it has given out. */
  readonly addressFolder: string
  readonly mtu?: number
}

/**
 * The CNI configuration list (CNI specification 0.4.0) for a bridge with host-local addresses. Source
 * NAT and host ports are left to the service proxy's ruleset, which knows the cluster's ranges.
 */
export function podNetworkConflist(network: PodNetwork): string {
  const bridge = {
    type: 'bridge',
    bridge: network.bridge,
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    ...(network.mtu !== undefined && { mtu: network.mtu }),
    ipam: {
      type: 'host-local',
      dataDir: network.addressFolder,
      ranges: [[{ subnet: network.podCidr }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  }
  return `${JSON.stringify({ cniVersion: '0.4.0', name: network.name, plugins: [bridge] }, null, 2)}\n`
}
