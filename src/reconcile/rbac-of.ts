import type { PolicyRule } from '#api/types/rbac.v1.ts'
import type { Controller } from './controller.ts'

const readVerbs = ['get', 'list', 'watch'] as const

/** The rights that a controller's declaration says it needs, sorted, one rule per resource. */
export function rbacOf(controller: Controller): readonly PolicyRule[] {
  const verbsOf = new Map<string, Set<string>>()
  const allow = (group: string, resource: string, verbs: readonly string[], name = ''): void => {
    const target = `${group}\n${resource}\n${name}`
    verbsOf.set(target, new Set([...(verbsOf.get(target) ?? []), ...verbs]))
  }
  for (const { resource } of controller.watches) allow(resource.group, resource.plural, readVerbs)
  for (const { resource, subresource, verbs, objectName } of controller.writes) {
    const path = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`
    allow(resource.group, path, verbs, objectName)
  }
  return [...verbsOf].sort(byTarget).map(([target, verbs]) => {
    const [group = '', resource = '', name = ''] = target.split('\n')
    const resourceNames = name === '' ? {} : { resourceNames: [name] }
    return { apiGroups: [group], resources: [resource], ...resourceNames, verbs: [...verbs].sort() }
  })
}

function byTarget(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1
}

/** A Markdown table of what each controller watches and writes. */
export function controllerTable(controllers: readonly Controller[]): string {
  const rows = controllers.map((controller) => {
    const watches = controller.watches.map(({ resource }) => resource.plural)
    const writes = controller.writes.map(
      ({ resource, subresource, verbs }) =>
        `${resource.plural}${subresource === undefined ? '' : `/${subresource}`} (${verbs.join(', ')})`,
    )
    return `| ${controller.name} | ${[...new Set(watches)].join(', ')} | ${writes.join('; ')} |`
  })
  return ['| controller | watches | writes |', '| --- | --- | --- |', ...rows].join('\n')
}
