import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Setting } from '../drivers/driver.js'
import { arenaFile, arenaOf, load } from '../drivers/forelock.js'
import type { Kind } from './kind.js'

const BLOCK_BYTES = 512
const CAPACITY = 2 ** 19

const backed = (setting: Setting) => statSync(arenaFile(setting)).blocks * BLOCK_BYTES

const name = (i: number) => `customer:${String(i).padStart(31, '0')}`

/**
 * Bytes of memory behind the arena that one more exclusively held element costs, with a name of 40 bytes. The hash index is sized and
 * backed when the arena is made; its share is in the notes.
 */
export const element: Kind = async ({ job }) => {
  const { open } = await load(job.setting)
  const gov = open({ ...arenaOf(job.setting), capacity: { elements: CAPACITY } })
  const index = (backed(job.setting) - (await smallArena(job.setting))) / CAPACITY
  const grants: { release(): boolean }[] = []
  const hold = (until: number) => {
    while (grants.length < until) {
      const grant = gov.lock(name(grants.length)).tryAcquire()
      if (grant === null) throw new Error(`${name(grants.length)} is not free`)
      grants.push(grant)
    }
  }
  // Memory is backed in pieces: between two states that far apart, on the same spot of a piece, what is backed ahead weighs nothing.
  const few = CAPACITY / 8
  const many = CAPACITY - CAPACITY / 8
  hold(few)
  const before = backed(job.setting)
  hold(many)
  const value = (backed(job.setting) - before) / (many - few)
  for (const grant of grants) grant.release()
  await gov.close()
  return { series: { value: [value] }, notes: { 'index bytes per element of capacity': Math.round(index * 100) / 100 } }
}

/** Bytes behind an arena for hardly any elements, to be taken off those of a large one. */
async function smallArena(setting: Setting): Promise<number> {
  const { open } = await load(setting)
  const small = { ...setting, folder: join(setting.folder, 'small') }
  mkdirSync(small.folder)
  const gov = open({ ...arenaOf(small), capacity: { elements: 1 } })
  const bytes = backed(small)
  await gov.close()
  return bytes
}
