import { isSameJson } from '#api/meta/merge-patch.ts'
import type { Resource } from '#api/meta/resource.ts'
import type { PolicyKind } from '#api/cel/policy-warnings.ts'
import { builtInCatalog } from '#api/schema/catalog.ts'
import type { ValidatingAdmissionPolicyStatus } from '#api/types/admissionregistration.v1.ts'
import type { CustomResourceDefinition } from '#api/types/apiextensions.v1.ts'
import { customResourceDefinitions, validatingAdmissionPolicies } from '#api/types/resources.ts'
import type { Informers } from '#client/informer.ts'
import { defineController, watchOf, type ControllerContext } from '#reconcile/controller.ts'

/** Tells the authors of policies what their expressions get wrong about the kinds they are for (KEP-3488). */
export const validatingPolicyStatusController = defineController({
  name: 'validatingadmissionpolicy-status-controller',
  watches: [watchOf(validatingAdmissionPolicies)],
  writes: [{ resource: validatingAdmissionPolicies, subresource: 'status', verbs: ['update'] }],
  reconcile,
})

async function reconcile(name: string, { informers, client }: ControllerContext): Promise<void> {
  const policy = informers.of(validatingAdmissionPolicies).get(name)
  if (policy === undefined) return
  const { generation = 0 } = policy.metadata
  if (policy.status?.observedGeneration === generation) return
  // Most clusters have no policy, and need nothing of what reads expressions.
  const { policyWarnings } = await import('#api/cel/policy-warnings.ts')
  const { typeOfNode, typeOfSchema } = await import('#api/cel/kind-type.ts')
  const builtIn = builtInCatalog().resources.map((resource): PolicyKind => ({
    ...place(resource),
    type: () => typeOfNode(resource.node),
  }))
  const custom = definitionsOf(informers).flatMap(({ spec }) =>
    spec.versions.map((version): PolicyKind => ({
      group: spec.group,
      version: version.name,
      plural: spec.names.plural,
      kind: spec.names.kind,
      type: () => {
        const schema = version.schema?.openAPIV3Schema
        return schema && typeOfSchema(schema, spec.names.kind)
      },
    })),
  )
  const expressionWarnings = policyWarnings(policy, [...builtIn, ...custom])
  const typeChecking = expressionWarnings.length === 0 ? {} : { expressionWarnings }
  const status: ValidatingAdmissionPolicyStatus = { ...policy.status, observedGeneration: generation, typeChecking }
  if (isSameJson(status, policy.status)) return
  await client.resource(validatingAdmissionPolicies).updateStatus({ ...policy, status })
}

function place({ group, version, plural, kind }: Resource): Omit<PolicyKind, 'type'> {
  return { group, version, plural, kind }
}

function definitionsOf(informers: Informers): readonly CustomResourceDefinition[] {
  return informers.of(customResourceDefinitions).list()
}
