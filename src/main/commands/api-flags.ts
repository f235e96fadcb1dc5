import type { FlagValues } from '#cli/command.ts'
import type { ApiChoice } from '#api/schema/served-apis.ts'

/** The flags that say which APIs a server serves beside the stable ones. */
export const apiFlags = [
  {
    name: 'runtime-config',
    type: 'list',
    default: [],
    help:
      'APIs to serve or not: group/version=true, group/version/resource=false, and api/all, api/ga, api/beta or ' +
      'api/alpha for all of a kind',
  },
  {
    name: 'feature-gates',
    type: 'list',
    default: [],
    help: 'Features to turn on or off: Name=true,…',
  },
] as const

/** What the flags choose, checked: throws `ChoiceError` for what there is not. */
export async function apiChoiceOf(values: FlagValues<typeof apiFlags>): Promise<ApiChoice> {
  const choice = { runtimeConfig: values['runtime-config'], featureGates: values['feature-gates'] }
  if (choice.runtimeConfig.length + choice.featureGates.length === 0) return choice
  const { chooseApis } = await import('#api/schema/served-apis.ts')
  chooseApis(choice)
  return choice
}

/** The flags again, for a process that goes on with the same choice. */
export function apiArguments({ runtimeConfig, featureGates }: ApiChoice): string[] {
  return [`--runtime-config=${runtimeConfig.join(',')}`, `--feature-gates=${featureGates.join(',')}`]
}
