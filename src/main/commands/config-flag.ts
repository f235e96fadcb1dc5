/** The kubelet's configuration file, for every command that runs a node. */
export const configFlag = {
  name: 'config',
  type: 'string',
  default: '',
  help: 'File with a KubeletConfiguration of kubelet.config.k8s.io/v1beta1 for the node (default: its defaults)',
} as const
