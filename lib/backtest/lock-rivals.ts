import type { ContentionEvent } from '../predict/contention-events.js'

interface Known {
  readonly first: number
  readers: number
  isWritten: boolean
  waiting: number
  /** ms that it was held, until `since` */
  busy: number
  since: number
}

interface Tally {
  asked: number
  waited: number
}

/** Simple answers to whether a request will wait: the base rate; the share of time that the element was held; whether it is held now. */
export class LockRivals {
  private readonly elements = new Map<string, Known>()
  private readonly waiting = new Set<number>()
  private readonly waits = { count: 0, sum: 0 }
  private readonly all: Tally = { asked: 0, waited: 0 }
  /** by lead, mode and state, learnt before the test */
  private readonly states = new Map<string, Tally>()

  record({ event, element, time, mode, waited = 0, id = 0 }: ContentionEvent): void {
    const known = this.elements.get(element) ?? { first: time, readers: 0, isWritten: false, waiting: 0, busy: 0, since: time }
    this.elements.set(element, known)
    if (isHeld(known)) known.busy += time - known.since
    known.since = time
    const change = event === 'end' ? -1 : 1
    if (event === 'request') {
      known.waiting++
      this.waiting.add(id)
      return
    }
    if (event === 'grant' && this.waiting.delete(id)) {
      known.waiting--
      this.waits.count++
      this.waits.sum += waited
    }
    if (mode === 'shared') known.readers += change
    else known.isWritten = event === 'grant'
  }

  /** ms, of all waits so far. */
  get meanWait(): number {
    return this.waits.sum / Math.max(1, this.waits.count)
  }

  learn(element: string, mode: ContentionEvent['mode'], lead: number, waits: boolean): void {
    if (lead === 0) add(this.all, waits)
    const key = this.stateOf(element, mode, lead)
    const tally = this.states.get(key) ?? { asked: 0, waited: 0 }
    add(tally, waits)
    this.states.set(key, tally)
  }

  score(element: string, mode: ContentionEvent['mode'], now: number, lead: number): [name: string, probability: number][] {
    const known = this.elements.get(element)
    const base = this.all.waited / Math.max(1, this.all.asked)
    const passed = known === undefined ? 0 : now - known.first
    const busy = known === undefined ? 0 : known.busy + (isHeld(known) ? now - known.since : 0)
    const tally = this.states.get(this.stateOf(element, mode, lead))
    return [
      ['base rate', base],
      ['share of time held', passed > 0 ? busy / passed : base],
      ['held now', tally === undefined ? base : (tally.waited + base) / (tally.asked + 1)]
    ]
  }

  private stateOf(element: string, mode: ContentionEvent['mode'], lead: number): string {
    const known = this.elements.get(element)
    const isClosed = known !== undefined && (known.isWritten || known.waiting > 0 || (mode !== 'shared' && known.readers > 0))
    return `${lead} ${mode} ${isClosed}`
  }
}

function isHeld({ readers, isWritten }: Known): boolean {
  return isWritten || readers > 0
}

function add(tally: Tally, waits: boolean): void {
  tally.asked++
  if (waits) tally.waited++
}
