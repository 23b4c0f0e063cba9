import type { Holding } from '../booker.js'
import type { HeldSpan } from './course.js'

/** More of one run are not told apart. */
const MOST = 256

interface Entry {
  readonly kind: HeldSpan['kind']
  readonly name: string
  readonly amounts: HeldSpan['amounts']
  readonly action: string | undefined
  readonly ordinal: number
  readonly from: number
  until: number | undefined
  got: Holding | undefined
}

/**
 * What a run and its actions hold, and held. A grant does not say when it ended, which would cost every grant: it is looked at as the run goes on, when
 * actions begin and end and when something is booked. So one that ended in between counts until the next such moment.
 */
export class HoldLog {
  private readonly entries: Entry[] = []

  /** @param at ms on the clock that all calls go by */
  add(kind: HeldSpan['kind'], name: string, got: Holding, action: string | undefined, at: number): void {
    this.look(at)
    if (this.entries.length >= MOST) return
    const amounts = 'amounts' in got ? (got.amounts as HeldSpan['amounts']) : undefined
    let ordinal = 0
    for (const entry of this.entries) if (entry.action === action) ordinal++
    this.entries.push({ kind, name, amounts, action, ordinal, from: at, until: undefined, got })
  }

  look(at: number): void {
    for (const entry of this.entries) {
      if (entry.got?.ended !== true) continue
      entry.until = at
      entry.got = undefined
    }
  }

  /** Times from the beginning of the run on, which was admitted with some of it before. */
  spans(began: number): HeldSpan[] {
    return this.entries.map(({ got, from, until, ...what }) => ({
      ...what,
      from: Math.max(0, from - began),
      until: until === undefined ? undefined : Math.max(0, until - began)
    }))
  }
}
