// The waits of a workload as users of the faces come to them: promises, and a clock that ticks each millisecond.
import { Allocation } from '../../../lib/allocation.js'
import { Grant } from '../../../lib/grant.js'
import { open } from '../../../lib/index.js'
import type { Said } from './support.js'

/** One request, and what became of it. */
export interface Known {
  readonly thing: string
  readonly time: number
  readonly duration: number
  readonly waited: number
}

interface Held {
  readonly ends: number
  readonly number: number
  release(): unknown
}

/**
 * Plays a workload whose times are whole milliseconds, without a policy.
 *
 * @param slots of the pool p
 * @param rate tokens a second of the bucket b
 */
export async function playByFaces(all: readonly Said[], slots: number, rate: number): Promise<Known[]> {
  const gov = open({ clock: 'virtual', autoEnclose: false })
  const pool = gov.pool('p', { capacity: { slots } })
  const bucket = gov.bucket('b', { rate })
  const known: Known[] = []
  const held: Held[] = []
  const ask = ({ kind = 'pool', thing = 'p', tier = 'background', amount = 1, shared = false }: Said): Promise<object> => {
    const who = { tier, workflow: `work of ${tier}` }
    if (kind === 'pool') return pool.allocate({ slots: amount }, who)
    if (kind === 'bucket') return bucket.take(amount, who)
    return gov.lock(thing).acquire({ ...who, mode: shared ? 'shared' : 'exclusive' })
  }
  const failed: unknown[] = []
  let now = 0
  const begin = async (said: Said, number: number): Promise<void> => {
    const { time, duration, thing = 'p' } = said
    const grant = await ask(said)
    known.push({ thing, time, duration, waited: now - time })
    if (grant instanceof Allocation || grant instanceof Grant) held.push({ ends: now + duration, number, release: () => grant.release() })
  }
  for (let next = 0; known.length < all.length || held.length > 0; now++) {
    if (now > 0) gov.advance(1)
    await settled()
    for (let due = first(held, now); due !== undefined; due = first(held, now)) {
      held.splice(held.indexOf(due), 1)
      due.release()
      await settled()
    }
    for (; next < all.length && (all[next] as Said).time === now; next++) {
      begin(all[next] as Said, next).catch(error => failed.push(error))
    }
    await settled()
    if (failed.length > 0) throw failed[0]
  }
  await gov.close()
  return known
}

/** Of those that end by then the one that ends first, or came first. */
function first(held: readonly Held[], time: number): Held | undefined {
  const due = held.filter(({ ends }) => ends <= time)
  return due.sort((a, b) => a.ends - b.ends || a.number - b.number)[0]
}

/** What was resolved has called back, and what that has resolved. */
async function settled(): Promise<void> {
  for (let i = 0; i < 8; i++) await undefined
}
