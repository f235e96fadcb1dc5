import { definePlugin, Veto } from '../framework.ts'

/** Pods with resource claims are held back: to place one without its devices would break its promise. */
export const dynamicResources = definePlugin({
  name: 'DynamicResources',
  preFilter: ({ pod }) =>
    (pod.spec.resourceClaims ?? []).length === 0
      ? 'skip'
      : new Veto('DynamicResources', 'pod has resource claims, which this scheduler cannot allocate yet'),
  postFilter: () => ({ message: 'no new claims to deallocate' }),
  helpedBy: () => false,
})
