import { fail } from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext, TestOptions } from 'node:test'
import behaviours from './behaviours.json' with { type: 'json' }

/** What the project promises of every Kubernetes cluster: the titles of v1.36's conformance behaviours by area. */
export const conformanceBehaviours: Readonly<Record<string, readonly string[]>> = behaviours

/**
 * Registers a test that shows one conformance behaviour, named after it. The test fails when the area has no behaviour of
 * that title, so that a mistyped name is never counted as proof; an error thrown here would go unseen, as Node tells only
 * of files that fail before their first test. Write the title as one literal: the coverage test looks for it.
 */
export function behaviour(
  area: string,
  title: string,
  show: (context: TestContext) => void | Promise<void>,
  options: TestOptions = {},
): void {
  const isKnown = conformanceBehaviours[area]?.includes(title) === true
  void test(`${area}: ${title}`, options, isKnown ? show : () => fail(`${area} has no behaviour '${title}'`))
}
