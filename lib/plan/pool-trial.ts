import { type KeepChange, type PoolRequest, PoolWorld, type ShareChange, type TierUnits } from './pool-world.js'
import type { Trial } from './trial-guard.js'

export interface PoolTrialOptions {
  /** units */
  readonly capacity: number
  /** what waiting costs a request and second, by tier, lowest first */
  readonly waitCosts: readonly number[]
  /** ms after which who waits rises a tier; 0: never */
  readonly ageing: number
  /** the same of those whose waits are told apart from those of their tiers: groups, numbered from the number of tiers on */
  readonly groupCosts?: readonly number[] | undefined
  /** what each tier may have; default: anything */
  readonly parts?: readonly TierUnits[] | undefined
  /** whether plans leave units idle while somebody waits for them; default false */
  readonly idles?: boolean | undefined
}

/** A request with what it would be under the plans. */
interface Tried extends PoolRequest {
  readonly group: number
  readonly raised: number
}

/** What a plan does to the world that has it. */
interface Change {
  /** ms */
  readonly time: number
  to(world: PoolWorld): void
}

/** A request may be waited for, for so long. */
const PATIENCE_MS = 60_000
/** And so many of them at once. */
const PENDING_MOST = 65_536
/** Changes that wait for the requests before them; the oldest are forgotten. */
const CHANGES_MOST = 65_536
/** Two times of one request, of which one was reckoned by its end. */
const SAME_MS = 0.5
/** Requests that a mean duration is of. */
const DURATIONS = 200
/** ms over which it is averaged how much comes, and that it takes until that is known. */
const LOAD_MS = 600_000
const LOAD_KNOWN_MS = 10_000
/** Nothing is ever quite used up. */
const BUSY_MOST = 0.98

/**
 * What the plans of a source would bring, or have brought: the same requests in two worlds, one with the plans and one without. Both are models, and
 * both leave out the same; so their difference says in minutes what a comparison of some hours with some others would not in days, and of a source that is
 * not allowed to act as well as of one that is. (Common random numbers: Law and Kelton, Simulation Modeling and Analysis.) It runs behind, by the time
 * that requests take.
 */
export class PoolTrial implements Trial {
  /** by group */
  readonly #costs: readonly number[]
  readonly #tiers: number
  readonly #without: PoolWorld
  readonly #with: PoolWorld
  /** those whose time has not come, in the order of their times */
  #requests: Tried[] = []
  #from = 0
  /** ms up to which it has come */
  #tried = Number.NEGATIVE_INFINITY
  #changes: Change[] = []
  readonly #durations: { count: number; mean: number }[]
  readonly #capacity: number
  readonly #idles: boolean
  /** requests, units and unit milliseconds that came lately, in so many ms up to a time */
  readonly #load = { until: Number.NaN, span: 0, count: 0, units: 0, work: 0 }
  /** by group, and what is to come: {@link saved} in its parts */
  #parts: readonly number[] = []
  #gained = 0
  #lost = 0

  constructor({ capacity, waitCosts, ageing, groupCosts = [], parts, idles = false }: PoolTrialOptions) {
    this.#costs = [...waitCosts, ...groupCosts]
    this.#capacity = capacity
    this.#idles = idles
    this.#tiers = waitCosts.length
    const options = { groups: this.#costs.length, parts }
    this.#without = new PoolWorld(capacity, this.#tiers, ageing, options)
    this.#with = new PoolWorld(capacity, this.#tiers, ageing, options)
    this.#durations = this.#costs.map(() => ({ count: 0, mean: 0 }))
  }

  /**
   * A request came. One that is told of after what came later was tried is left out.
   *
   * @param group as whose it waits
   * @param raised the tier that it has with the plans
   */
  came(time: number, tier: number, amount: number, group = tier, raised = tier): void {
    if (!(time >= this.#tried)) return
    const request = { time, tier, amount, duration: Number.NaN, group, raised }
    let at = this.#requests.length
    // Told of late, by one that had to wait: few came meanwhile.
    while (at > 0 && (this.#requests[at - 1] as Tried).time > time) at--
    if (at === this.#requests.length) this.#requests.push(request)
    else this.#requests.splice(at, 0, request)
  }

  /** One that {@link came} is over. @param group its tier, unless it came with another @param duration ms for which it held what it was granted */
  ended(time: number, group: number, duration: number): void {
    const mean = this.#durations[group] as { count: number; mean: number }
    mean.count++
    mean.mean += (duration - mean.mean) / Math.min(mean.count, DURATIONS)
    const requests = this.#requests
    let low = this.#from
    let high = requests.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((requests[middle] as Tried).time < time - SAME_MS) low = middle + 1
      else high = middle
    }
    let nearest: Tried | undefined
    for (let at = low; at < requests.length && (requests[at] as Tried).time <= time + SAME_MS; at++) {
      const request = requests[at] as Tried
      if (request.group !== group || !Number.isNaN(request.duration)) continue
      if (nearest === undefined || Math.abs(request.time - time) < Math.abs(nearest.time - time)) nearest = request
    }
    if (nearest !== undefined) nearest.duration = duration
  }

  /** A plan, at the time from which it is in force. */
  kept(change: KeepChange): void {
    this.#change({ time: change.time, to: world => world.keep(change) })
  }

  /** One of the share of a tier. */
  shared(change: ShareChange): void {
    this.#change({ time: change.time, to: world => world.share(change) })
  }

  /** Catches up as far as is known. @param now ms */
  advance(now: number): void {
    let change = 0
    for (; this.#from < this.#requests.length; this.#from++) {
      const request = this.#requests[this.#from] as Tried
      if (Number.isNaN(request.duration)) {
        if (now - request.time < PATIENCE_MS && this.#requests.length - this.#from < PENDING_MOST) break
        request.duration = (this.#durations[request.group] as { mean: number }).mean
      }
      change = this.#apply(change, request.time)
      this.#came(request)
      this.#without.request(request)
      this.#with.request(request.raised === request.tier ? request : { ...request, tier: request.raised })
    }
    // With nobody on the way, time is known to pass.
    const known = this.#requests[this.#from]?.time ?? now
    change = this.#apply(change, known)
    this.#tried = Math.max(this.#tried, known)
    this.#without.advance(known)
    this.#with.advance(known)
    if (change > 0) this.#changes = this.#changes.slice(change)
    if (this.#from > 0) this.#requests = this.#requests.slice(this.#from)
    this.#from = 0
    this.#settle()
  }

  /** ms up to which it has come. */
  get tried(): number {
    return this.#tried
  }

  /** Units that a request asks for, on average; undefined: none came. */
  get usual(): number | undefined {
    const { count, units } = this.#load
    return count === 0 ? undefined : units / count
  }

  /** What groups saved whenever they waited less with the plans than without, and what they lost when they waited longer: as {@link saved}, without what is to come, which nobody has waited yet. */
  get gained(): number {
    return this.#gained
  }

  get lost(): number {
    return this.#lost
  }

  /** What waiting would have cost without the plans less what it would have with them, and what it still will: request seconds by their costs. */
  get saved(): number {
    return this.#parts.reduce((all, part) => all + part, 0)
  }

  /** What waiting would have cost those for whom the plans are not: all tiers but the highest that asks, or where groups are told apart, whoever is in none. */
  get lowerCost(): number {
    const { waited } = this.#without
    let top = this.#tiers - 1
    if (waited.length > this.#tiers) return this.#cost(waited, this.#tiers)
    while (top > 0 && (this.#durations[top] as { count: number }).count === 0) top--
    return this.#cost(waited, top)
  }

  #settle(): void {
    const [without, withPlans] = [this.#without.waited, this.#with.waited]
    const parts = this.#costs.map((cost, group) => (((without[group] as number) - (withPlans[group] as number)) / 1000) * cost)
    for (let part = 0; part < parts.length; part++) {
      const more = (parts[part] as number) - (this.#parts[part] ?? 0)
      if (more > 0) this.#gained += more
      else this.#lost -= more
    }
    parts.push(-this.#toCome())
    this.#parts = parts
  }

  /**
   * What the plans will have cost when the line is gone: units that were idle for them have left more to be done, and all wait for that longer who are in line or will be
   * before it is gone. Where nearly all is used that is some hundred times what they have cost by now. They are taken to be of the lowest tier, which goes last. (A line
   * as a fluid: Newell, Applications of Queueing Theory, 1982.)
   */
  #toCome(): number {
    const { span, count, work } = this.#load
    // Where nothing is left idle as much is done, by others: what differs for a moment is chance.
    if (!this.#idles || span < LOAD_KNOWN_MS || count === 0) return 0
    const more = this.#with.unfinished - this.#without.unfinished
    const busy = Math.min(BUSY_MOST, work / span / this.#capacity)
    const waiting = this.#without.waiting
    const gone = (waiting * work) / count / (this.#capacity * (1 - busy))
    const delayed = waiting + (count / span) * gone
    return (((more / this.#capacity) * delayed) / 1000) * (this.#costs[0] ?? 0)
  }

  #came({ time, amount, duration }: Tried): void {
    const load = this.#load
    // The worlds leave out what the pool can never grant.
    if (!(amount > 0 && amount <= this.#capacity)) return
    const passed = Number.isNaN(load.until) ? 0 : time - load.until
    const fade = Math.exp(-passed / LOAD_MS)
    load.until = time
    load.span = load.span * fade + passed
    load.count = load.count * fade + 1
    load.units = load.units * fade + amount
    load.work = load.work * fade + amount * duration
  }

  #change(change: Change): void {
    if (this.#changes.length >= CHANGES_MOST) this.#changes = this.#changes.slice(CHANGES_MOST / 2)
    this.#changes.push(change)
  }

  #apply(from: number, until: number): number {
    let at = from
    for (; at < this.#changes.length && (this.#changes[at] as Change).time <= until; at++) (this.#changes[at] as Change).to(this.#with)
    return at
  }

  /** Of the first groups. */
  #cost(waited: readonly number[], groups: number): number {
    let all = 0
    for (let group = 0; group < groups; group++) all += ((waited[group] as number) / 1000) * (this.#costs[group] ?? 0)
    return all
  }
}
