/** Whether all items are of the kind that the list names, so that they need not name it again. */
export function isOwnList(list: object, items: readonly object[]): boolean {
  const { kind } = list as { readonly kind?: unknown }
  const item = items[0] as { readonly kind?: unknown } | undefined
  return kind !== 'PartialObjectMetadataList' && (item === undefined || kind === `${item.kind}List`)
}
