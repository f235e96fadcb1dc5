import type { HostLayout } from './layout.ts'

export interface ContainerdConfigOptions {
  readonly layout: HostLayout
  readonly cniBinaryDir: string
  readonly pauseImage: string
  /** The opposite of `Machine.canLowerOomScore`. */
  readonly restrictOomScore: boolean
}

/**
 * The configuration of the cluster's own containerd (format version 2, which containerd 1.6 to 2.x read): everything
 * lies under the cluster's folders, so that it never meets another containerd of the machine, and goes with them: network
 * namespaces too, which nothing else would tell from a stranger's once their last process has ended.
 */
export function containerdConfig({ layout, ...options }: ContainerdConfigOptions): string {
  const text = JSON.stringify
  return `version = 2
root = ${text(layout.containerd.rootDir)}
state = ${text(layout.containerd.stateDir)}

[grpc]
  address = ${text(layout.containerd.socket)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(`${layout.containerd.rootDir}/opt`)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(options.pauseImage)}
  restrict_oom_score_adj = ${options.restrictOomScore}
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  max_container_log_line_size = 16384
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(options.cniBinaryDir)}
    conf_dir = ${text(layout.cniConfigDir)}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`
}
