import { createHash } from 'node:crypto'
import { CapacityError } from '../errors/index.js'
import type { Session } from '../session.js'
import { forgetTenant } from './learners.js'

/**
 * Names of the arena are there for good, for every process, and are looked for without a trace: so they are a list that only grows. `…:7` says that
 * there was a seventh call, and was made after `…:7:TENANT`, which says whose.
 */
const CALL = 'forelock:forget:'
/** ms between two looks, where nobody asks for what was learnt */
const LOOK_EVERY_MS = 1_000

const all = new WeakMap<Session, Forgetting>()

/** One for a governor. */
export function forgettingOf(session: Session): Forgetting {
  let forgetting = all.get(session)
  if (forgetting === undefined) {
    forgetting = new Forgetting(session)
    all.set(session, forgetting)
  }
  return forgetting
}

/**
 * Tenants that are to be forgotten by all who learn in an arena. Nobody is sent anything that could be lost: a call stays in the arena, and whoever
 * has learnt looks before anything is made of that, and every second.
 */
export class Forgetting {
  readonly #session: Session
  /** whose runs were learnt from here */
  readonly #tenants = new Set<string>()
  /** the last call that was looked at; earlier ones are about nothing that was learnt here */
  #seen: number
  #looks = false

  constructor(session: Session) {
    this.#session = session
    this.#seen = this.#last(0)
  }

  /** A run of theirs is about to be learnt from. */
  learnt(tenant: string): void {
    if (this.#tenants.has(tenant)) return
    this.#tenants.add(tenant)
    if (!this.#looks && this.#session.joined) this.#lookEvery()
  }

  /** Forgets whom others have said since it looked. */
  look(): void {
    const { joined } = this.#session
    while (joined && this.#isThere(this.#seen + 1)) {
      const call = ++this.#seen
      for (const tenant of this.#tenants) if (this.#isThere(call, tenant)) this.#forget(tenant)
    }
  }

  /**
   * Here at once, and by all others before they make anything of what they have learnt.
   *
   * @throws CapacityError if the arena has no room for the call, and the others do not hear of it
   */
  forget(tenant: string): void {
    this.#forget(tenant)
    for (let call = this.#last(this.#seen) + 1; ; call++) {
      this.#say(call, tenant)
      // Another call of that number: whoever has seen it looks for no more tenants of it, and whoever has not will find both.
      if (this.#isThere(call)) continue
      this.#say(call)
      return
    }
  }

  #forget(tenant: string): void {
    this.#tenants.delete(tenant)
    forgetTenant(this.#session, tenant)
  }

  #isThere(call: number, tenant?: string): boolean {
    return this.#session.binding.findName(nameOf(call, tenant)) !== 0
  }

  #say(call: number, tenant?: string): void {
    if (this.#session.binding.intern(nameOf(call, tenant)) !== 0) return
    throw new CapacityError('the arena has no room for the name by which other processes are told whom to forget', {
      option: 'capacity.elements',
      limit: this.#session.binding.capacity.elements
    })
  }

  /** The last call from this one on: there is none without those before it. */
  #last(from: number): number {
    let step = 1
    while (this.#isThere(from + step)) step *= 2
    let [there, not] = [from + Math.floor(step / 2), from + step]
    while (not - there > 1) {
      const middle = Math.floor((there + not) / 2)
      if (this.#isThere(middle)) there = middle
      else not = middle
    }
    return there
  }

  #lookEvery(): void {
    this.#looks = true
    const self = new WeakRef(this)
    const timer = setInterval(() => {
      const forgetting = self.deref()
      if (forgetting === undefined) clearInterval(timer)
      else forgetting.look()
    }, LOOK_EVERY_MS)
    timer.unref()
    this.#session.leaving.push(() => clearInterval(timer))
  }
}

/** A tenant stands there as a hash: only whether one is meant is ever asked. */
function nameOf(call: number, tenant: string | undefined): string {
  if (tenant === undefined) return `${CALL}${call}`
  return `${CALL}${call}:${createHash('sha256').update(tenant).digest('base64url')}`
}
