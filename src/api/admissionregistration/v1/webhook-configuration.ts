import { boolType } from '#lib/cel/types.ts'
import { ExpressionScope } from '../../cel/policy-expressions.ts'
import { defineKind } from '../../kind.ts'
import { ageOf } from '../../meta/duration.ts'
import { duplicate, invalidForEach, invalidValue, notSupported, required } from '../../meta/field-errors.ts'
import { dnsSubdomain } from '../../meta/names.ts'
import { reviewVersionsHint, validateReviewVersions } from '../../meta/validate-review-versions.ts'
import type { FieldError } from '../../meta/status.ts'
import { validateLabelSelector } from '../../meta/validate-labels.ts'
import type {
  MatchCondition,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../../types/admissionregistration.v1.ts'
import { validateClientConfig } from './validate-client-config.ts'
import { validateRule } from './validate-rules.ts'
import { setWebhookDefaults } from './webhook-defaults.ts'
import { validateMatchConditions } from './validate-match-conditions.ts'

export const validatingWebhookConfiguration = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  hasGeneration: true,
  setDefaults: (draft) => draft.webhooks?.forEach(setWebhookDefaults),
  validate: ({ webhooks }) => validateWebhooks(webhooks ?? []),
  cells: ({ metadata, webhooks }, nowMs) => [
    metadata.name,
    (webhooks ?? []).length,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
})

export const mutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  hasGeneration: true,
  setDefaults(draft) {
    for (const webhook of draft.webhooks ?? []) {
      setWebhookDefaults(webhook)
      webhook.reinvocationPolicy ??= 'Never'
    }
  },
  validate: ({ webhooks }) => [
    ...validateWebhooks(webhooks ?? []),
    ...(webhooks ?? []).flatMap(({ reinvocationPolicy }, index) =>
      oneOf(reinvocationPolicy, ['IfNeeded', 'Never'], `webhooks[${index}].reinvocationPolicy`),
    ),
  ],
  cells: ({ metadata, webhooks }, nowMs) => [
    metadata.name,
    (webhooks ?? []).length,
    ageOf(metadata.creationTimestamp, nowMs),
  ],
  requiresResourceVersion: true,
})

function validateWebhooks(webhooks: readonly ValidatingWebhook[]): FieldError[] {
  const names = new Set<string>()
  return webhooks.flatMap((webhook, index) => {
    const path = `webhooks[${index}]`
    const errors = validateWebhook(webhook, path)
    if (names.has(webhook.name)) errors.push(duplicate(`${path}.name`, webhook.name))
    names.add(webhook.name)
    return errors
  })
}

const maxTimeoutSeconds = 30

function validateWebhook(webhook: ValidatingWebhook, path: string): FieldError[] {
  const { name, rules, failurePolicy, matchPolicy, sideEffects, timeoutSeconds } = webhook
  const errors = validateDomain(name, `${path}.name`)
  errors.push(...(rules ?? []).flatMap((rule, index) => validateRule(rule, `${path}.rules[${index}]`)))
  errors.push(...oneOf(failurePolicy, ['Fail', 'Ignore'], `${path}.failurePolicy`))
  errors.push(...oneOf(matchPolicy, ['Equivalent', 'Exact'], `${path}.matchPolicy`))
  if (((sideEffects as string | undefined) ?? '') === '') {
    errors.push(required(`${path}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
  } else errors.push(...oneOf(sideEffects, ['None', 'NoneOnDryRun'], `${path}.sideEffects`))
  if (timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > maxTimeoutSeconds)) {
    const detail = `the timeout value must be between 1 and ${maxTimeoutSeconds} seconds`
    errors.push(invalidValue(`${path}.timeoutSeconds`, timeoutSeconds, detail))
  }
  return [
    ...errors,
    ...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`),
    ...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`),
    ...validateClientConfig(webhook.clientConfig, `${path}.clientConfig`),
    ...validateReviewVersions(
      webhook.admissionReviewVersions ?? [],
      `${path}.admissionReviewVersions`,
      reviewVersionsHint,
    ),
    ...validateConditions(webhook.matchConditions ?? [], `${path}.matchConditions`),
  ]
}

function validateConditions(conditions: readonly MatchCondition[], path: string): FieldError[] {
  if (conditions.length === 0) return []
  const scope = new ExpressionScope()
  return validateMatchConditions(conditions, path, (expression, field) => scope.errorsOf(field, expression, [boolType]))
}

/** Names of webhooks are domains with at least three parts, so that they do not collide. */
function validateDomain(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  const errors = invalidForEach(path, name, dnsSubdomain(name))
  if (errors.length > 0 || name.split('.').length >= 3) return errors
  return [invalidValue(path, name, 'should be a domain with at least three segments separated by dots')]
}

function oneOf(value: string | undefined, allowed: readonly string[], path: string): FieldError[] {
  return value === undefined || allowed.includes(value) ? [] : [notSupported(path, value, allowed)]
}
