import type { Draft } from '#api/kind.ts'
import type { Ingress } from '#api/types/networking.v1.ts'
import { ingressClasses } from '#api/types/resources.ts'
import type { AdmissionPlugin } from './admission.ts'
import { defaultClassOf } from './default-class.ts'

/** An ingress that names no class gets the default one. */
export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  resources: ['networking.k8s.io/ingresses'],
  operations: ['CREATE'],
  mutate({ object }, { reader }) {
    const ingress = object as Draft<Ingress>
    if (ingress.spec?.ingressClassName !== undefined) return
    if (ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined) return
    const found = defaultClassOf(reader, ingressClasses, ['ingressclass.kubernetes.io/is-default-class'])
    if (found !== undefined) (ingress.spec ??= {}).ingressClassName = found.metadata.name
  },
}
