import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'

/** Where one cluster on this machine keeps things, and the names it gives to kernel objects. */
export interface HostLayout {
  /** Survives reboots: store, certificates, images, pod volumes, logs. */
  readonly dataDir: string
  /** Dies with the machine's run: sockets, pid files. Short, because socket paths end at 107 bytes. */
  readonly runDir: string
  readonly kubeconfig: string
  readonly serverLog: string
  readonly serverPidFile: string
  readonly containerd: ContainerdLayout
  /** The kubelet's root: pod volumes, plugin sockets, checkpoints. */
  readonly kubeletDir: string
  readonly podLogDir: string
  /** Links to the logs of all containers, one flat folder. */
  readonly containerLogDir: string
  /** The first part of every cgroup path of this cluster, such as `/coracle`. */
  readonly cgroupRoot: string
  readonly bridge: string
  /** Name of the nftables tables. */
  readonly nftTable: string
  /** The number in the kernel's `proto` field that marks routes as this cluster's; of those that nobody has claimed. */
  readonly routeProtocol: number
  readonly cniConfigDir: string
  readonly cniAddressDir: string
  /** The file by which systemd-logind is told to wait for the pods when the machine goes down. */
  readonly logindDropIn: string
}

export interface ContainerdLayout {
  readonly configFile: string
  readonly rootDir: string
  readonly stateDir: string
  readonly socket: string
  readonly pidFile: string
  readonly logFile: string
}

export const defaultDataDir = '/var/lib/coracle'

/** Lays out a cluster by its data directory: the default one gets plain names, any other one a suffix of its own. */
export function hostLayout(dataDir: string = defaultDataDir): HostLayout {
  const root = resolve(dataDir)
  const isDefault = root === defaultDataDir
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 6)
  const runDir = isDefault ? '/run/coracle' : `/run/coracle-${hash}`
  return {
    dataDir: root,
    runDir,
    kubeconfig: join(root, 'kubeconfig'),
    serverLog: join(root, 'coracle.log'),
    serverPidFile: join(runDir, 'coracle.pid'),
    containerd: {
      configFile: join(root, 'containerd.toml'),
      rootDir: join(root, 'containerd'),
      stateDir: join(runDir, 'containerd'),
      socket: join(runDir, 'containerd.sock'),
      pidFile: join(runDir, 'containerd.pid'),
      logFile: join(root, 'containerd.log'),
    },
    kubeletDir: join(root, 'kubelet'),
    podLogDir: join(root, 'pod-logs'),
    containerLogDir: join(root, 'container-logs'),
    cgroupRoot: isDefault ? '/coracle' : `/coracle-${hash}`,
    bridge: isDefault ? 'coracle0' : `cor${hash}`,
    nftTable: isDefault ? 'coracle' : `coracle_${hash}`,
    routeProtocol: isDefault ? 201 : 202 + (Number.parseInt(hash, 16) % 48),
    cniConfigDir: join(root, 'cni', 'net.d'),
    cniAddressDir: join(root, 'cni', 'addresses'),
    logindDropIn: `/etc/systemd/logind.conf.d/99-coracle${isDefault ? '' : `-${hash}`}.conf`,
  }
}

/** Where the kernel settings found before the first start are kept. */
export function sysctlRecord(layout: HostLayout): string {
  return join(layout.dataDir, 'sysctls-before.json')
}
