import { type ForelockErrorCode, type Governor, isForelockError, type ShadowAnswer } from '../../../lib/index.js'
import type { HoldTime } from '../../../lib/shadow/hold-times.js'
import type { Member } from '../../../lib/shadow/line.js'
import { NO_AMOUNTS } from '../../../lib/shadow/look.js'
import { macrotask } from '../support.js'

/** A request for a lock that came at 0 and waits or holds, as nobody said anything else of it. */
export function member(hold: HoldTime, parts: Partial<Member> = {}): Member {
  return {
    tier: 1,
    arrival: 0,
    until: Number.POSITIVE_INFINITY,
    ttl: Number.POSITIVE_INFINITY,
    hold,
    shared: false,
    steal: false,
    workflow: 0,
    tenant: 0,
    revocable: false,
    amounts: NO_AMOUNTS,
    declared: 0,
    ...parts
  }
}

interface Ending {
  readonly at: number
  end(): unknown
}

/**
 * A request that a test makes for others to meet, and whose end it does not wait for: by its time or with the governor, or as it says; by anything else
 * it fails the test file, as a rejection that nobody handles.
 */
export function mayEnd(request: Promise<unknown>, ...otherwise: ForelockErrorCode[]): void {
  const codes: readonly ForelockErrorCode[] = ['ERR_FORELOCK_TIMEOUT', 'ERR_FORELOCK_CLOSED', ...otherwise]
  request.catch(error => {
    if (!isForelockError(error) || !codes.includes(error.code)) throw error
  })
}

/** What follows in virtual time from who holds for how long: ends are made when they are due, and nothing else happens. */
export class Course {
  private readonly endings: Ending[] = []

  constructor(private readonly gov: Governor) {}

  /** ms on the arena clock */
  now(): number {
    return this.gov.now() / 1e6
  }

  hold(grant: { release(): unknown }, ms: number): void {
    this.endings.push({ at: this.now() + ms, end: () => grant.release() })
  }

  /** A request that waits, and holds for so long once it is granted. */
  wait(request: Promise<{ release(): unknown }>, ms: number): Promise<number> {
    const began = this.now()
    const waited = request.then(grant => {
      this.hold(grant, ms)
      return this.now() - began
    })
    mayEnd(waited)
    return waited
  }

  async pass(ms: number): Promise<void> {
    const until = this.now() + ms
    for (;;) {
      await macrotask()
      for (const due of this.endings.filter(({ at }) => at <= this.now() + 1e-6)) {
        this.endings.splice(this.endings.indexOf(due), 1)
        due.end()
        await macrotask()
      }
      if (this.now() >= until - 1e-6) return
      const next = Math.min(until, this.now() + 1, ...this.endings.map(({ at }) => at))
      this.gov.advance(Math.max(1e-6, next - this.now()))
    }
  }

  /** What a promise comes to, as time passes. */
  async of<T>(promise: Promise<T>, limit = 10_000): Promise<T> {
    let settled = false
    promise.then(
      () => {
        settled = true
      },
      () => {
        settled = true
      }
    )
    const until = this.now() + limit
    await macrotask()
    while (!settled) {
      if (this.now() > until) throw new Error(`nothing came of it within ${limit} ms`)
      await this.pass(1)
    }
    return promise
  }
}

/** Lets `hold` ms be measured, so often, with what it holds of `acquire`. */
export function measure(gov: Governor, acquire: () => { release(): unknown } | null, hold: number, times = 10): void {
  for (let i = 0; i < times; i++) {
    const grant = acquire()
    if (grant === null) throw new Error('it was to be free')
    gov.advance(hold)
    grant.release()
  }
  // Counts are handed over when they are asked for.
  gov.stats()
}

export function tiersOf(parties: ShadowAnswer['ahead']): string[] {
  return parties.map(({ tier }) => tier)
}
