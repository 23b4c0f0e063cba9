import { refuse } from '../checks.js'
import type { ContentionNotice } from '../notices.js'
import type { Session } from '../session.js'
import { after } from '../timer.js'
import { NS_PER_MS } from '../units.js'

/** What a workflow does about a collision that is foretold: says what it could do, or does it. */
export type RemedyMode = 'advise' | 'apply'

/** What a workflow could do, or does, so as not to be in the way of a tier above it. */
export interface Remedy {
  /** its runs begin later */
  readonly kind: 'reschedule'
  /** what the tier is about to ask for */
  readonly pool: string
  readonly tier: string
  /** ms from now */
  readonly delay: number
  readonly applied: boolean
}

export interface RemedyStatus {
  /** remedies that were told of */
  readonly advised: number
  /** runs that began later for one, and by how many ms together */
  readonly delayed: number
  readonly delayedMs: number
}

/** @throws ArgumentError */
export function readRemedies(value: unknown): RemedyMode {
  if (value === undefined) return 'advise'
  if (value !== 'advise' && value !== 'apply') throw refuse('remedies', "'advise' or 'apply'", value)
  return value
}

/** The remedies of a workflow. A run that has begun goes on. */
export class Remedies {
  readonly #session: Session
  readonly #tier: number
  readonly #mode: RemedyMode
  /** ns on the arena's clock until when runs are not to begin */
  #until = 0
  #advised = 0
  #delayed = 0
  #delayedMs = 0

  /** @param tier of its runs, index */
  constructor(session: Session, tier: number, mode: RemedyMode) {
    this.#session = session
    this.#tier = tier
    this.#mode = mode
  }

  /** @returns undefined: it is in nobody's way */
  against({ pool, tier, within }: ContentionNotice): Remedy | undefined {
    if (this.#session.tiers.indexOf(tier) <= this.#tier) return undefined
    this.#advised++
    const applied = this.#mode === 'apply'
    if (applied) this.#until = Math.max(this.#until, this.#session.binding.now() + within * NS_PER_MS)
    return { kind: 'reschedule', pool, tier, delay: within, applied }
  }

  /** Whether runs are not to begin now. */
  get pauses(): boolean {
    return this.#until > 0 && this.#session.binding.now() < this.#until
  }

  /** Until a run may begin: once, however many collisions are foretold meanwhile. @returns rejected with the signal's reason */
  async pause(signal: AbortSignal | undefined): Promise<void> {
    const ms = (this.#until - this.#session.binding.now()) / NS_PER_MS
    if (!(ms > 0)) return
    signal?.throwIfAborted()
    this.#delayed++
    this.#delayedMs += ms
    await new Promise<void>((resolve, reject) => {
      const cancel = after(this.#session, ms, end, true)
      function end(): void {
        signal?.removeEventListener('abort', stop)
        resolve()
      }
      function stop(): void {
        cancel()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', stop, { once: true })
    })
  }

  status(): RemedyStatus {
    return { advised: this.#advised, delayed: this.#delayed, delayedMs: this.#delayedMs }
  }
}
