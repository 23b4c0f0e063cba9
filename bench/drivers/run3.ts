import type { Connect, Operation } from './driver.js'

/** An action of the runs: by itself it takes next to nothing, or some 10 µs, so that no reading can serve for two of its ends. */
export type Step = () => Promise<void>

export const idle: Step = async () => {}

const ROUNDS = 10_000
let sink = 0

export const busy: Step = async () => {
  for (let i = 0; i < ROUNDS; i++) sink = (sink + i) | 0
}

/** The program that is metered: runs of three actions, with nobody looking. */
export const bareRuns =
  (step: Step): Operation =>
  async n => {
    let done = 0
    for (let i = 0; i < n; i++) {
      await run3(step)
      done++
    }
    return done
  }

async function run3(step: Step): Promise<void> {
  await step()
  await step()
  await step()
}

/** With blocked-at, which times each callback and continuation by async_hooks and keeps the stack that began it. */
export const blockedAt: Connect = async () => {
  type BlockedAt = (told: () => void, options: { threshold: number }) => { stop(): void }
  const { default: start } = (await import('blocked-at' as string)) as { default: BlockedAt }
  const NEVER_MS = 1e6
  const { stop } = start(() => {}, { threshold: NEVER_MS })
  return { run3: bareRuns(idle), run3Apart: bareRuns(busy), close: stop }
}
