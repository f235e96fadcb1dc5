import { runCommand } from '#lib/command.ts'

/** Runs an nft script as one transaction: all of it or nothing. Rejects with nft's own message. */
export async function applyRuleset(script: string): Promise<void> {
  await runCommand('nft', ['-f', '-'], { input: script })
}
