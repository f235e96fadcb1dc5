import { definitionBehaviour } from '../crd/definition-behaviour.ts'
import { claimBehaviour, claimTemplateBehaviour } from './claim-behaviour.ts'
import { namespaceBehaviour } from './namespace-behaviour.ts'
import { priorityClassBehaviour } from './priority-class-behaviour.ts'
import type { ResourceBehaviour } from './resource-behaviour.ts'
import { resourceSliceBehaviour } from './resource-slice-behaviour.ts'
import { serviceBehaviour } from './services/service-behaviour.ts'
import { signingRequestBehaviour } from './signing-request-behaviour.ts'
import type { ServedResource } from './served-resource.ts'

const behaviours: Readonly<Record<string, ResourceBehaviour>> = {
  'v1/namespaces': namespaceBehaviour,
  'v1/services': serviceBehaviour,
  'apiextensions.k8s.io/v1/customresourcedefinitions': definitionBehaviour,
  'certificates.k8s.io/v1/certificatesigningrequests': signingRequestBehaviour,
  'resource.k8s.io/v1/resourceclaims': claimBehaviour,
  'resource.k8s.io/v1/resourceclaimtemplates': claimTemplateBehaviour,
  'resource.k8s.io/v1/resourceslices': resourceSliceBehaviour,
  'scheduling.k8s.io/v1/priorityclasses': priorityClassBehaviour,
}

const ordinary: ResourceBehaviour = {}

export function behaviourOf({ group, version, plural }: ServedResource): ResourceBehaviour {
  return behaviours[group === '' ? `${version}/${plural}` : `${group}/${version}/${plural}`] ?? ordinary
}
