/** What the cluster's process tells the command that started it. */
export type UpMessage =
  | { readonly type: 'step'; readonly text: string }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
