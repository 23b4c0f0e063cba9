import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connect } from './driver.js'

interface Lockfile {
  lock(file: string, options: { realpath: boolean; stale: number }): Promise<() => Promise<void>>
}

/** ms between two tries; its own default is a second and growing, so this is to its favour */
const POLL_MS = 1
/** ms, its default: how long after the last sign of life a holder counts as dead */
const STALE_MS = 10_000

const heldByOther = (error: unknown) => (error as { code?: string }).code === 'ELOCKED'

export const connect: Connect = async setting => {
  const { lock } = ((await import('proper-lockfile' as string)) as { default: Lockfile }).default
  const file = join(setting.folder, `lock-${setting.lock}`)
  let unlock: (() => Promise<void>) | undefined

  async function take(): Promise<void> {
    for (;;) {
      try {
        unlock = await lock(file, { realpath: false, stale: STALE_MS })
        return
      } catch (error) {
        if (!heldByOther(error)) throw error
      }
      await sleep(POLL_MS)
    }
  }

  return {
    peer: {
      hold: take,
      wait: take,
      release: () => unlock?.()
    },
    close() {}
  }
}
