import { statSync } from 'node:fs'
import type * as Forelock from '../../lib/index.js'
import { type Connect, type Operation, SCARCE } from './driver.js'
import { arenaFile, arenaOf, load } from './forelock.js'
import { keysOf } from './keys.js'

const BLOCK_BYTES = 512
/** of each key: in debt all the time, and never out of tokens */
const SLOW = { rate: 1, burst: 1e6 }

export const connect: Connect = async setting => {
  const { open } = await load(setting)
  const gov = open(arenaOf(setting))
  const plenty = gov.bucket('plenty', { rate: 1e8 })
  const scarce = gov.bucket('scarce', SCARCE)
  const notes: Record<string, number> = {}
  const backed = () => statSync(arenaFile(setting)).blocks * BLOCK_BYTES

  const keyed = (count: number): Operation => {
    let keys: string[] | undefined
    let family: Forelock.KeyedBuckets
    let next = 0
    const make = () => {
      const before = backed()
      family = gov.buckets('per-key', { ...SLOW, keys: count })
      const made = keysOf(count)
      for (const key of made) family.tryTake(key)
      // A thousand are within what is backed anyway.
      if (count > 1e5) notes['bytes per key'] = Math.round(((backed() - before) / count) * 10) / 10
      return made
    }
    return n => {
      keys ??= make()
      let done = 0
      for (let i = 0; i < n; i++) {
        if (family.tryTake(keys[next] as string).ok) done++
        if (++next === count) next = 0
      }
      return done
    }
  }

  return {
    tokens(n) {
      let done = 0
      for (let i = 0; i < n; i++) if (plenty.tryTake().ok) done++
      return done
    },
    keyed1k: keyed(1_000),
    keyed1m: keyed(1_000_000),
    scarce(n) {
      let done = 0
      for (let i = 0; i < n; i++) if (scarce.tryTake().ok) done++
      return done
    },
    notes: () => notes,
    close: () => gov.close()
  }
}
