import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import type { Connect, Driver } from './driver.js'

/** The program that a profiler looks at: n continuations of one asynchronous function. Two of them take turns. */
export async function interleaved(n: number): Promise<number> {
  let done = 0
  for (let i = 0; i < n; i++) {
    await null
    done++
  }
  return done
}

async function both(n: number): Promise<number> {
  const [a, b] = [interleaved(n / 2), interleaved(n / 2)]
  return (await a) + (await b)
}

/** With nobody looking. */
export const bare: Connect = async () => ({ continuations: both, close() {} })

/** With what Node itself takes for a context and two hooks that do nothing. */
export const hooked: Connect = async () => {
  const storage = new AsyncLocalStorage<object>()
  const hook = createHook({ before() {}, after() {} }).enable()
  return { continuations: n => storage.run({}, () => both(n)), close: () => void hook.disable() } satisfies Driver
}

/** With blocked-at, which times each callback and continuation by async_hooks and keeps the stack that began it. */
export const blockedAt: Connect = async () => {
  type BlockedAt = (told: () => void, options: { threshold: number }) => { stop(): void }
  const { default: start } = (await import('blocked-at' as string)) as { default: BlockedAt }
  const NEVER_MS = 1e6
  const { stop } = start(() => {}, { threshold: NEVER_MS })
  return { continuations: both, close: stop }
}
