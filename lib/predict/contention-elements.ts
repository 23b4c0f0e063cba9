/** Of an element, requests that are remembered. */
export const RING = 16
/** ms over which requests are counted. */
export const SPANS_MS = [1_000, 10_000, 60_000] as const

/** ms over which being asked for counts when places are short. */
const RANK_MS = 3_600_000
const FIRST_PLACES = 64
/** Of how many places the least used is given up. */
const SAMPLED = 8
/** Of what was counted of an element, with each request. */
export const KEPT = 0.98
const HOLD_RATE = 0.15
/** How many times what is wanted is gathered before it is sorted. */
const THINNED = 8
const SHARED = 1
const WAITED = 2
const CENSORED = 4
const SPANS = SPANS_MS.length

/** What is remembered of a request: NaN where it has not come to that. */
export interface Asked {
  requested: number
  granted: number
  ended: number
  party: number
  tier: number
  isShared: boolean
  id: number
}

/**
 * The elements, and of each its last requests: who holds it, who waits, and who did. Of more elements than it may keep those asked for most
 * stay, near to space-saving (Metwally et al., ICDT 2005). All of it in typed arrays, which grow with what they hold.
 */
export class Elements {
  private readonly places = new Map<string, number>()
  private readonly names: string[] = []
  /** log of the decayed count, as of time 0 */
  private ranks = new Float64Array(FIRST_PLACES)
  /** decayed counts over {@link SPANS_MS}, and when they were decayed */
  private counts = new Float64Array(FIRST_PLACES * SPANS)
  private counted = new Float64Array(FIRST_PLACES)
  /** decayed: requests, and those that waited */
  private asked = new Float64Array(FIRST_PLACES)
  private collided = new Float64Array(FIRST_PLACES)
  /** ms, on average; NaN: of none */
  private holds = new Float64Array(FIRST_PLACES)
  private waits = new Float64Array(FIRST_PLACES)
  /** when the latest request was made that is no longer remembered */
  private forgotten = new Float64Array(FIRST_PLACES)
  private requested = new Float64Array(FIRST_PLACES * RING)
  private granted = new Float64Array(FIRST_PLACES * RING)
  private ended = new Float64Array(FIRST_PLACES * RING)
  private ids = new Float64Array(FIRST_PLACES * RING)
  private parties = new Uint32Array(FIRST_PLACES * RING)
  private tiers = new Uint8Array(FIRST_PLACES * RING)
  private flags = new Uint8Array(FIRST_PLACES * RING)
  private remembered = new Uint8Array(FIRST_PLACES)
  private state = 1

  constructor(private readonly most: number) {}

  get size(): number {
    return this.places.size
  }

  /** The place of an element; -1: it is not known. */
  find(name: string): number {
    return this.places.get(name) ?? -1
  }

  nameOf(place: number): string {
    return this.names[place] as string
  }

  claim(name: string): number {
    const known = this.places.get(name)
    if (known !== undefined) return known
    let place = this.names.length
    if (place < this.most) this.names.push(name)
    else {
      place = this.least()
      this.places.delete(this.names[place] as string)
      this.names[place] = name
    }
    if (place >= this.ranks.length) this.grow()
    this.places.set(name, place)
    this.clear(place)
    return place
  }

  /** Takes note of a request, and says where. */
  ask(place: number, { requested, granted, ended, party, tier, isShared, id }: Asked, waited: boolean): number {
    this.decay(place, requested)
    for (let span = 0; span < SPANS; span++) this.counts[place * SPANS + span] = (this.counts[place * SPANS + span] as number) + 1
    this.ranks[place] = logSum(this.ranks[place] as number, requested / RANK_MS)
    this.asked[place] = KEPT * (this.asked[place] as number) + 1
    this.collided[place] = KEPT * (this.collided[place] as number) + (waited ? 1 : 0)
    const at = this.room(place)
    this.requested[at] = requested
    this.granted[at] = granted
    this.ended[at] = ended
    this.parties[at] = party
    this.tiers[at] = tier
    this.ids[at] = id
    this.flags[at] = (isShared ? SHARED : 0) | (waited ? WAITED : 0)
    return at
  }

  grant(at: number, time: number): void {
    this.granted[at] = time
  }

  end(at: number, time: number): void {
    this.ended[at] = time
  }

  /** It is over, but since when is not known: its hold says nothing of others. */
  forget(at: number, time: number): void {
    this.ended[at] = time
    this.flags[at] = (this.flags[at] as number) | CENSORED
  }

  held(place: number, ms: number): void {
    this.holds[place] = averaged(this.holds[place] as number, ms)
  }

  waitedFor(place: number, ms: number): void {
    this.waits[place] = averaged(this.waits[place] as number, ms)
  }

  /** Mean hold and wait in ms; NaN: there was none. */
  meanHold(place: number): number {
    return this.holds[place] as number
  }

  meanWait(place: number): number {
    return this.waits[place] as number
  }

  /** Requests as of `time` that are still counted over a span. */
  countOf(place: number, span: number, time: number): number {
    const passed = Math.max(0, time - (this.counted[place] as number))
    return (this.counts[place * SPANS + span] as number) * Math.exp(-passed / (SPANS_MS[span] as number))
  }

  /** When the counts were decayed last, at the latest request. */
  countedAt(place: number): number {
    return this.counted[place] as number
  }

  /** Decayed: requests, and those that waited. */
  askedOf(place: number): number {
    return this.asked[place] as number
  }

  collidedOf(place: number): number {
    return this.collided[place] as number
  }

  rankOf(place: number): number {
    return this.ranks[place] as number
  }

  /** From when on all requests are remembered. */
  since(place: number): number {
    return this.forgotten[place] as number
  }

  /** The requests that are remembered lie from `place` x {@link RING} on, in no order. */
  rememberedOf(place: number): number {
    return this.remembered[place] as number
  }

  requestedAt(at: number): number {
    return this.requested[at] as number
  }

  grantedAt(at: number): number {
    return this.granted[at] as number
  }

  endedAt(at: number): number {
    return this.ended[at] as number
  }

  partyAt(at: number): number {
    return this.parties[at] as number
  }

  tierAt(at: number): number {
    return this.tiers[at] as number
  }

  isSharedAt(at: number): boolean {
    return ((this.flags[at] as number) & SHARED) !== 0
  }

  /** ms; NaN: it has not ended, or it is not known when it did. */
  heldAt(at: number): number {
    return ((this.flags[at] as number) & CENSORED) === 0 ? this.endedAt(at) - this.grantedAt(at) : Number.NaN
  }

  waitedAt(at: number): boolean {
    return ((this.flags[at] as number) & WAITED) !== 0
  }

  /** Of those that hold (or wait, if `held` is false): the one with the id, or of the party and tier whose beginning is nearest; -1: none. */
  nearest(place: number, held: boolean, began: number, party: number, tier: number, id: number): number {
    let [found, distance] = [-1, Number.POSITIVE_INFINITY]
    for (let at = place * RING, end = at + this.rememberedOf(place); at < end; at++) {
      const start = held ? this.grantedAt(at) : this.requestedAt(at)
      if (!Number.isNaN(this.endedAt(at)) || Number.isNaN(this.grantedAt(at)) === held) continue
      const its = this.ids[at] as number
      if (its === id) return at
      if (!Number.isNaN(its) && !Number.isNaN(id)) continue
      if (this.partyAt(at) !== party || this.tierAt(at) !== tier) continue
      const far = Math.abs(start - began)
      if (far >= distance) continue
      found = at
      distance = far
    }
    return found
  }

  /** Whether a request with that id holds or waits. */
  isUnderWay(place: number, id: number): boolean {
    for (let at = place * RING, end = at + this.rememberedOf(place); at < end; at++) {
      if (this.ids[at] === id && Number.isNaN(this.endedAt(at))) return true
    }
    return false
  }

  /** The places of those whose names begin with it, those asked for most first. */
  beginningWith(prefix: string, most: number): number[] {
    const found: number[] = []
    const thin = () => {
      found.sort((a, b) => this.rankOf(b) - this.rankOf(a))
      found.length = Math.min(found.length, most)
    }
    for (const [name, place] of this.places) {
      if (name.startsWith(prefix) && found.push(place) >= THINNED * most) thin()
    }
    thin()
    return found
  }

  /** What is known of those asked for most as of a time, apart from who holds them. */
  save(most: number, now: number): [name: string, ...values: number[]][] {
    return this.beginningWith('', most).map(place => [
      this.nameOf(place),
      this.rankOf(place) - now / RANK_MS,
      this.askedOf(place),
      this.collidedOf(place),
      Number.isNaN(this.meanHold(place)) ? -1 : this.meanHold(place),
      Number.isNaN(this.meanWait(place)) ? -1 : this.meanWait(place)
    ])
  }

  load(saved: readonly (readonly [name: string, ...values: number[]])[]): void {
    this.places.clear()
    this.names.length = 0
    for (const [name, rank, asked, collided, hold, wait] of saved.slice(0, this.most) as [
      string,
      number,
      number,
      number,
      number,
      number
    ][]) {
      const place = this.claim(name)
      this.ranks[place] = rank
      this.asked[place] = asked
      this.collided[place] = collided
      this.holds[place] = hold < 0 ? Number.NaN : hold
      this.waits[place] = wait < 0 ? Number.NaN : wait
    }
  }

  /** It is later than what was loaded took it to be: by ms. */
  shift(by: number): void {
    for (const place of this.places.values()) this.ranks[place] = this.rankOf(place) + by / RANK_MS
  }

  private decay(place: number, time: number): void {
    for (let span = 0; span < SPANS; span++) this.counts[place * SPANS + span] = this.countOf(place, span, time)
    this.counted[place] = Math.max(time, this.counted[place] as number)
  }

  /** Where the next request is remembered: in place of the oldest of those that are over, or of all. */
  private room(place: number): number {
    const first = place * RING
    const size = this.rememberedOf(place)
    if (size < RING) {
      this.remembered[place] = size + 1
      return first + size
    }
    let [over, oldest] = [-1, first]
    for (let at = first; at < first + RING; at++) {
      if (this.requestedAt(at) < this.requestedAt(oldest)) oldest = at
      if (!Number.isNaN(this.endedAt(at)) && (over < 0 || this.requestedAt(at) < this.requestedAt(over))) over = at
    }
    const at = over < 0 ? oldest : over
    this.forgotten[place] = Math.max(this.since(place), this.requestedAt(at))
    return at
  }

  private clear(place: number): void {
    this.ranks[place] = Number.NEGATIVE_INFINITY
    this.counts.fill(0, place * SPANS, (place + 1) * SPANS)
    this.counted[place] = Number.NEGATIVE_INFINITY
    this.asked[place] = 0
    this.collided[place] = 0
    this.holds[place] = Number.NaN
    this.waits[place] = Number.NaN
    this.forgotten[place] = Number.NEGATIVE_INFINITY
    this.remembered[place] = 0
  }

  private least(): number {
    let least = this.drawn()
    for (let i = 1; i < SAMPLED; i++) {
      const other = this.drawn()
      if (this.rankOf(other) < this.rankOf(least)) least = other
    }
    return least
  }

  private drawn(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.state / 2 ** 32) * this.names.length)
  }

  private grow(): void {
    const places = Math.min(this.most, 2 * this.ranks.length)
    const numbers = (array: Float64Array, each = 1) => {
      const wider = new Float64Array(places * each)
      wider.set(array)
      return wider
    }
    const whole = (array: Uint32Array, each: number) => {
      const wider = new Uint32Array(places * each)
      wider.set(array)
      return wider
    }
    const bytes = (array: Uint8Array, each = 1) => {
      const wider = new Uint8Array(places * each)
      wider.set(array)
      return wider
    }
    this.ranks = numbers(this.ranks)
    this.counts = numbers(this.counts, SPANS)
    this.counted = numbers(this.counted)
    this.asked = numbers(this.asked)
    this.collided = numbers(this.collided)
    this.holds = numbers(this.holds)
    this.waits = numbers(this.waits)
    this.forgotten = numbers(this.forgotten)
    this.requested = numbers(this.requested, RING)
    this.granted = numbers(this.granted, RING)
    this.ended = numbers(this.ended, RING)
    this.ids = numbers(this.ids, RING)
    this.parties = whole(this.parties, RING)
    this.tiers = bytes(this.tiers, RING)
    this.flags = bytes(this.flags, RING)
    this.remembered = bytes(this.remembered)
  }
}

function averaged(before: number, ms: number): number {
  return Number.isNaN(before) ? ms : before + HOLD_RATE * (ms - before)
}

/** log(exp(a) + exp(b)) */
function logSum(a: number, b: number): number {
  const most = Math.max(a, b)
  return most === Number.NEGATIVE_INFINITY ? most : most + Math.log1p(Math.exp(Math.min(a, b) - most))
}
