import type { Draft } from '../../kind.ts'
import type {
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
  ValidatingWebhook,
} from '../../types/admissionregistration.v1.ts'

const timeoutSeconds = 10
const httpsPort = 443

/** Defaults that both kinds of webhooks share. */
export function setWebhookDefaults(webhook: Draft<ValidatingWebhook>): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= timeoutSeconds
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= httpsPort
  setRuleScopes(webhook.rules)
}

/** Defaults of what an admission policy, or its binding, applies to. */
export function setMatchDefaults(match: Draft<MatchResources> | undefined): void {
  if (match === undefined) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  setRuleScopes(match.resourceRules)
  setRuleScopes(match.excludeResourceRules)
}

function setRuleScopes(rules: readonly Draft<RuleWithOperations | NamedRuleWithOperations>[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*'
}
