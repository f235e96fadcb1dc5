import { CelError } from '#lib/cel/cel-error.ts'
import type { CelFunction, CelFunctions } from '#lib/cel/cel-function.ts'
import { CelOpaque, type CelValue } from '#lib/cel/values.ts'
import type { UserInfo } from '#api/meta/exchange.ts'
import { authorizeByAll } from '../../authz/authorizers.ts'
import type { AuthorizationAttributes } from '../../request-info.ts'
import type { AdmissionContext, AdmissionRequest } from '../admission.ts'

const type = 'kubernetes.authorization.Authorizer'
const decisionType = 'kubernetes.authorization.Decision'

interface Question {
  readonly context: AdmissionContext
  readonly attributes: AuthorizationAttributes
}

const value = (question: Question): CelOpaque => new CelOpaque(type, question, (other) => other === question)

/** The values behind `authorizer`, which asks what the user of the request may do, and `authorizer.requestResource`. */
export function authorizersOf({ info, user }: AdmissionRequest, context: AdmissionContext): Record<string, CelValue> {
  const nothing = {
    group: '',
    version: '*',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    rest: '',
    path: '',
  }
  const attributes = { ...nothing, isResourceRequest: true, verb: 'get', user } as const
  const { group, resource, subresource, namespace, name } = info
  const own = { ...attributes, group, resource, subresource, namespace, name }
  return {
    authorizer: value({ context, attributes }),
    'authorizer.requestResource': value({ context, attributes: own }),
  }
}

function questionOf(given: CelValue | undefined): Question {
  if (given instanceof CelOpaque && given.type === type) return given.data as Question
  throw new CelError('no such overload')
}

const narrowed =
  (change: (text: string) => Partial<AuthorizationAttributes>): CelFunction =>
  ([given, text]) => {
    const question = questionOf(given)
    return value({ ...question, attributes: { ...question.attributes, ...change(String(text as string)) } })
  }

interface Answer {
  readonly isAllowed: boolean
  readonly reason: string
}

function answerOf(given: CelValue | undefined): Answer {
  if (given instanceof CelOpaque && given.type === decisionType) return given.data as Answer
  throw new CelError('no such overload')
}

/** `authorizer.group('apps').resource('deployments').namespace('x').check('create').allowed()`. */
export const authorizerFunctions: CelFunctions = {
  group: narrowed((group) => ({ group })),
  resource: narrowed((resource) => ({ resource })),
  subresource: narrowed((subresource) => ({ subresource })),
  namespace: narrowed((namespace) => ({ namespace })),
  name: narrowed((name) => ({ name })),
  // Who decides here does not look at selectors: what is allowed for all is allowed for some.
  fieldSelector: narrowed(() => ({})),
  labelSelector: narrowed(() => ({})),
  path: narrowed((path) => ({ path, isResourceRequest: false })),
  serviceAccount: ([given, namespace, name]) => {
    const question = questionOf(given)
    const space = String(namespace as string)
    const user: UserInfo = {
      name: `system:serviceaccount:${space}:${String(name as string)}`,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${space}`, 'system:authenticated'],
    }
    return value({ ...question, attributes: { ...question.attributes, user } })
  },
  check: ([given, verb]) => {
    const { attributes, context } = questionOf(given)
    const asked = { ...attributes, verb: String(verb as string) as AuthorizationAttributes['verb'] }
    const { decision, reason } = authorizeByAll(context.authorizers, asked)
    const answer: Answer = { isAllowed: decision === 'allow', reason }
    return new CelOpaque(decisionType, answer, (other) => other === answer)
  },
  allowed: ([given]) => answerOf(given).isAllowed,
  reason: ([given]) => answerOf(given).reason,
  // Deciding from the caches cannot fail.
  errored: ([given]) => (answerOf(given), false),
  error: ([given]) => (answerOf(given), ''),
}
