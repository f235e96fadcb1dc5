import type { Draft } from '#api/kind.ts'
import type { CertificateSigningRequest } from '#api/types/certificates.v1.ts'
import type { ResourceBehaviour } from './resource-behaviour.ts'

/** A signing request says who made it: signers and approvers rely on that, so clients cannot set it. */
export const signingRequestBehaviour: ResourceBehaviour = {
  beforeCreate({ user }, draft) {
    const { spec } = draft as unknown as Draft<CertificateSigningRequest>
    spec.username = user.name
    spec.groups = [...user.groups]
    if (user.uid === undefined || user.uid === '') delete spec.uid
    else spec.uid = user.uid
    if (user.extra === undefined) delete spec.extra
    else spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]))
  },
}
