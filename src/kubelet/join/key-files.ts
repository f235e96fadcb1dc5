/** Where a node keeps its keys and certificates: private files, written whole or not at all. */
export interface KeyFiles {
  read(name: string): string | undefined
  write(name: string, text: string): void
}

/** The authority of the cluster that this machine has joined, PEM. */
export const authorityFile = 'ca.crt'
export const clientFile = 'kubelet-client.pem'
export const servingFile = 'kubelet-serving.pem'
