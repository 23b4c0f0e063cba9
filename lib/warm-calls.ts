import { describe } from './checks.js'
import type { WarmNotice } from './notices.js'
import type { Session } from './session.js'

/**
 * Makes ready what is about to be asked for. What it throws, or is rejected with, hurts nobody: it is counted, and told of by a warning.
 *
 * @param key name of the lock, bucket, pool or workflow
 * @param until ms from now until which the request is expected
 */
export type OnWarm = (key: string, until: number, warm: WarmNotice) => unknown

/** What became of the calls. */
export interface WarmCallCounts {
  readonly called: number
  /** calls that threw, or were rejected */
  readonly failed: number
  /** calls that were not made, because the one before for the same thing had not ended, or too many others had not */
  readonly skipped: number
}

/** Between two warnings, ms. */
const WARN_EVERY_MS = 60_000

/** Calls whoever wants to make things ready: one call for a thing at a time, and no more at once than are allowed. */
export class WarmCalls {
  readonly #onWarm: OnWarm
  readonly #most: number
  readonly #session: Session
  readonly #running = new Set<string>()
  #called = 0
  #failed = 0
  #skipped = 0
  #warned = Number.NEGATIVE_INFINITY

  /** @param most calls that may go on at once */
  constructor(session: Session, onWarm: OnWarm, most: number) {
    this.#session = session
    this.#onWarm = onWarm
    this.#most = most
  }

  call(warm: WarmNotice): void {
    const key = `${warm.kind}:${warm.what}`
    if (this.#running.has(key) || this.#running.size >= this.#most) {
      this.#skipped++
      return
    }
    this.#called++
    this.#running.add(key)
    this.#run(warm).then(
      () => void this.#running.delete(key),
      error => {
        this.#running.delete(key)
        this.#fail(warm, error)
      }
    )
  }

  counts(): WarmCallCounts {
    return { called: this.#called, failed: this.#failed, skipped: this.#skipped }
  }

  /** Begins at once, and throws nothing at who calls. */
  async #run(warm: WarmNotice): Promise<void> {
    await this.#onWarm(warm.what, warm.until, warm)
  }

  #fail({ kind, what }: WarmNotice, error: unknown): void {
    this.#failed++
    const now = performance.now()
    if (now - this.#warned < WARN_EVERY_MS || !this.#session.joined) return
    this.#warned = now
    const reason = error instanceof Error ? error.message : describe(error)
    process.emitWarning(`onWarm of the ${kind} ${JSON.stringify(what)} has failed: ${reason}`, {
      type: 'ForelockAgentWarning',
      code: 'FORELOCK_WARM'
    })
  }
}
