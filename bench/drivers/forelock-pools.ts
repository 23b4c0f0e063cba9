import type { Connect } from './driver.js'
import { arenaOf, load } from './forelock.js'

const CAPACITY = { cpu: 1000, memory: 64, network: 100 }
const AMOUNTS = { cpu: 100, memory: 4, network: 10 }

export const connect: Connect = async setting => {
  const { open } = await load(setting)
  const gov = open(arenaOf(setting))
  const pool = gov.pool('pool', { capacity: CAPACITY })
  const parts = {
    pool: [pool, AMOUNTS],
    tokens: [
      [gov.bucket('first', { rate: 1e8 }), 1],
      [gov.bucket('second', { rate: 1e8 }), 1]
    ],
    locks: [gov.lock('lock')]
  } as const
  return {
    units(n) {
      let done = 0
      for (let i = 0; i < n; i++) if (pool.tryAllocate(AMOUNTS)?.release()) done++
      return done
    },
    together(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        const admission = gov.tryAdmit(parts)
        if (admission.ok && admission.release()) done++
      }
      return done
    },
    async awaitTogether(n) {
      let done = 0
      for (let i = 0; i < n; i++) {
        const admission = await gov.admit(parts)
        if (admission.release()) done++
      }
      return done
    },
    close: () => gov.close()
  }
}
