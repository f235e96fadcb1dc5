import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import { approvalCondition } from './definition-approval.ts'

const rows: readonly (readonly [group: string, annotation: string | undefined, said: string | undefined])[] = [
  ['a.example', undefined, undefined],
  ['x.k8s.io', 'https://github.com/a/b/pull/1', 'True ApprovedAnnotation: approved in https://github.com/a/b/pull/1'],
  ['x.k8s.io', 'unapproved, a trial', 'False UnapprovedAnnotation: not approved: "unapproved, a trial"'],
  [
    'kubernetes.io',
    'yes',
    'False InvalidAnnotation: protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111',
  ],
  [
    'x.k8s.io',
    undefined,
    'False MissingAnnotation: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
  ],
]
for (const [group, annotation, said] of rows) {
  test(`a definition of ${group} with approval ${annotation}`, () => {
    const annotations = annotation === undefined ? {} : { 'api-approved.kubernetes.io': annotation }
    const condition = approvalCondition({
      metadata: { annotations },
      spec: { group },
    } as unknown as CustomResourceDefinition)
    assert.equal(condition && `${condition.status} ${condition.reason}: ${condition.message}`, said)
  })
}
