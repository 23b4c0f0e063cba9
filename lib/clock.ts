import { duration, refuse } from './checks.js'
import { ArgumentError } from './errors/index.js'
import { At, Time } from './native/binding.js'
import type { Session } from './session.js'

/** The largest time a Date can hold, in ms since 1970. */
const DATE_MAX_MS = 8.64e15

/** Nanoseconds on the arena's clock: CLOCK_MONOTONIC, or the virtual one. */
export function now(session: Session): number {
  session.mustBeJoined()
  return session.binding.now()
}

/** The date of a time on the arena's clock, by the arena's one mapping from monotonic to wall clock. */
export function toDate(session: Session, ns: unknown): Date {
  session.mustBeJoined()
  if (typeof ns !== 'number' || !Number.isFinite(ns)) throw refuse('ns', 'a number of nanoseconds', ns)
  const ms = session.binding.wallClock(ns)
  return new Date(Math.max(-DATE_MAX_MS, Math.min(DATE_MAX_MS, ms)))
}

/** Moves the virtual clock, event by event: timeouts, ageing and ttl all follow it. */
export function advance(session: Session, ms: unknown): void {
  session.mustBeJoined()
  if (!session.binding.virtual) {
    throw new ArgumentError("advance() needs a virtual clock: open({ clock: 'virtual' })", { option: 'clock', given: 'monotonic' })
  }
  const step = duration(ms, 'ms')
  if (!Number.isFinite(step)) throw refuse('ms', 'a finite number of milliseconds', ms)
  const { scratch, times } = session
  scratch[At.Arena] = session.arena
  times[Time.Timeout] = step
  session.binding.advance()
  const code = scratch[At.OutCode]
  session.waiting.settle()
  session.check(code)
  session.waiting.drain()
  for (const moved of [...session.waiting.onAdvance]) moved()
}
