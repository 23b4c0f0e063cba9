/** A request for a lock, as a trace has it. */
export interface LockRequest {
  readonly element: string
  readonly workflow: string
  readonly mode: 'exclusive' | 'shared'
  /** index of the tier, lowest first */
  readonly tier: number
  /** ms; requests are in its order */
  readonly time: number
  /** how long it would be held: ms, when multiplied by the scale */
  readonly hold: number
}

/** Calls of what happens, in the order of time; `at` is the place of the request. */
export interface LockListener {
  /** it must wait */
  request(at: number): void
  grant(at: number, time: number): void
  end(at: number, time: number): void
}

interface Lock {
  readers: number
  isWritten: boolean
  /** places of requests by tier; those before the head are gone */
  readonly waiting: number[][]
  readonly heads: number[]
  queued: number
}

const SILENT: LockListener = { request() {}, grant() {}, end() {} }
const LOG_SCALE_MAX = 30
/** within a tenth of a percent */
const LOG_SCALE_STEP = 1e-3

/**
 * Reactive reader-writer locks with tiers, in virtual time: who comes is let in unless somebody holds it in a way that excludes him, or waits who
 * goes first; the highest tier goes first, and in a tier who came first. No ageing.
 *
 * @returns ms that each request waited
 */
export function simulate(requests: readonly LockRequest[], scale: number, listener: LockListener = SILENT): Float64Array {
  return new LockSimulation(requests).run(scale, listener)
}

/** The scale of the holds with which so large a part of the requests waits, by bisection on a log scale. */
export function scaleFor(requests: readonly LockRequest[], part: number): number {
  const simulation = new LockSimulation(requests)
  let [low, high] = [-LOG_SCALE_MAX, LOG_SCALE_MAX]
  while (high - low > LOG_SCALE_STEP) {
    const middle = (low + high) / 2
    let waiting = 0
    for (const ms of simulation.run(2 ** middle, SILENT)) if (ms > 0) waiting++
    if (waiting < part * requests.length) low = middle
    else high = middle
  }
  return 2 ** ((low + high) / 2)
}

/** Of each request, whether another that came later waited while it held. */
export function waitedFor(requests: readonly LockRequest[], waited: Float64Array, scale: number): boolean[] {
  const byElement = new Map<string, number[]>()
  for (const [at, { element }] of requests.entries()) {
    const known = byElement.get(element)
    if (known === undefined) byElement.set(element, [at])
    else known.push(at)
  }
  const found = requests.map(() => false)
  for (const places of byElement.values()) {
    for (const [i, at] of places.entries()) {
      const { time, hold } = requests[at] as LockRequest
      const granted = time + (waited[at] as number)
      for (let j = i + 1; j < places.length && !found[at]; j++) {
        const other = places[j] as number
        const came = (requests[other] as LockRequest).time
        if (came >= granted + scale * hold) break
        found[at] = (waited[other] as number) > 0 && came + (waited[other] as number) > granted
      }
    }
  }
  return found
}

class LockSimulation {
  /** by request, the number of its element */
  private readonly numbers: Uint32Array
  private readonly count: number

  constructor(private readonly requests: readonly LockRequest[]) {
    const known = new Map<string, number>()
    this.numbers = Uint32Array.from(requests, ({ element }) => {
      const number = known.get(element) ?? known.size
      if (number === known.size) known.set(element, number)
      return number
    })
    this.count = known.size
  }

  run(scale: number, listener: LockListener): Float64Array {
    const { requests, numbers } = this
    const waited = new Float64Array(requests.length)
    const locks = Array.from({ length: this.count }, (): Lock => ({ readers: 0, isWritten: false, waiting: [], heads: [], queued: 0 }))
    const ends = new EndQueue(requests.length)
    const start = (lock: Lock, at: number, time: number) => {
      const { mode, hold, time: asked } = requests[at] as LockRequest
      if (mode === 'shared') lock.readers++
      else lock.isWritten = true
      waited[at] = time - asked
      ends.push(time + scale * hold, at)
      listener.grant(at, time)
    }
    const release = () => {
      const { at, time } = ends.pop()
      const { mode } = requests[at] as LockRequest
      const lock = locks[numbers[at] as number] as Lock
      if (mode === 'shared') lock.readers--
      else lock.isWritten = false
      listener.end(at, time)
      for (let next = first(lock, requests); next >= 0; next = first(lock, requests)) start(lock, next, time)
    }
    for (let at = 0; at < requests.length; at++) {
      const { mode, tier, time } = requests[at] as LockRequest
      while (ends.next <= time) release()
      const lock = locks[numbers[at] as number] as Lock
      if (fits(lock, mode) && !isBehind(lock, tier)) {
        start(lock, at, time)
        continue
      }
      const queue = lock.waiting[tier]
      if (queue === undefined) lock.waiting[tier] = [at]
      else queue.push(at)
      lock.queued++
      listener.request(at)
    }
    while (ends.next < Number.POSITIVE_INFINITY) release()
    return waited
  }
}

function fits(lock: Lock, mode: LockRequest['mode']): boolean {
  return !lock.isWritten && (mode === 'shared' || lock.readers === 0)
}

/** Whether somebody waits who goes before a newcomer of that tier. */
function isBehind(lock: Lock, tier: number): boolean {
  if (lock.queued === 0) return false
  for (let higher = tier; higher < lock.waiting.length; higher++) {
    if ((lock.waiting[higher]?.length ?? 0) > (lock.heads[higher] ?? 0)) return true
  }
  return false
}

/** Takes who goes next off the queue; -1: nobody, or it does not fit. */
function first(lock: Lock, requests: readonly LockRequest[]): number {
  if (lock.queued === 0) return -1
  for (let tier = lock.waiting.length - 1; tier >= 0; tier--) {
    const queue = lock.waiting[tier]
    const head = lock.heads[tier] ?? 0
    if (queue === undefined || head >= queue.length) continue
    const at = queue[head] as number
    if (!fits(lock, (requests[at] as LockRequest).mode)) return -1
    lock.queued--
    lock.heads[tier] = head + 1
    if (head + 1 === queue.length) {
      queue.length = 0
      lock.heads[tier] = 0
    }
    return at
  }
  return -1
}

/** When holds end: a binary heap, the earliest first; of those at one time, the one that came first. */
class EndQueue {
  private readonly times: Float64Array
  private readonly places: Uint32Array
  private size = 0

  constructor(most: number) {
    this.times = new Float64Array(most)
    this.places = new Uint32Array(most)
  }

  get next(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.times[0] as number)
  }

  push(time: number, place: number): void {
    let at = this.size++
    for (let up = (at - 1) >> 1; at > 0 && this.before(time, place, up); at = up, up = (at - 1) >> 1) this.move(up, at)
    this.times[at] = time
    this.places[at] = place
  }

  pop(): { at: number; time: number } {
    const [time, place] = [this.times[0] as number, this.places[0] as number]
    const last = --this.size
    const [lastTime, lastPlace] = [this.times[last] as number, this.places[last] as number]
    let at = 0
    for (let down = 1; down < last; down = 2 * at + 1) {
      if (down + 1 < last && this.before(this.times[down + 1] as number, this.places[down + 1] as number, down)) down++
      if (this.before(lastTime, lastPlace, down)) break
      this.move(down, at)
      at = down
    }
    this.times[at] = lastTime
    this.places[at] = lastPlace
    return { at: place, time }
  }

  private before(time: number, place: number, other: number): boolean {
    const its = this.times[other] as number
    return time < its || (time === its && place < (this.places[other] as number))
  }

  private move(from: number, to: number): void {
    this.times[to] = this.times[from] as number
    this.places[to] = this.places[from] as number
  }
}
