const irregular: Readonly<Record<string, string>> = {
  configMap: 'configmap',
  downwardAPI: 'downward-api',
  persistentVolumeClaim: 'persistent-claim',
}

/** `kubernetes.io/empty-dir`, as upstream calls the plugin of a volume with this field. */
export function volumePluginName(field: string): string {
  const name = irregular[field] ?? field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  return `kubernetes.io/${name}`
}
