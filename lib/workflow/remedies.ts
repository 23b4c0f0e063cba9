import type { Allocation } from '../allocation.js'
import { type NoticesHeard, noticeBoardOf } from '../notice-board.js'
import type { ContendedKind, ContentionNotice, OutcomeNotice } from '../notices.js'
import type { AmountsByName } from '../pool-terms.js'
import { randomsOf } from '../randoms.js'
import type { Session } from '../session.js'
import { after } from '../timer.js'
import { NS_PER_MS } from '../units.js'
import { type Proposal, proposals, type RoomOfTier, type Situation } from './remedy-choice.js'
import { type OwnRun, RemedyEffects, type RemedyWorth } from './remedy-effects.js'
import type { ReadRemedies, RemedyKind } from './remedy-options.js'

/** What a workflow could do, or does, so as not to be in the way of a tier above it. */
export interface Remedy {
  /** of the collision: {@link ContentionNotice.id} */
  readonly id: string
  readonly kind: RemedyKind
  /** what the tier is about to ask for: of which kind, and its name */
  readonly of: ContendedKind
  readonly what: string
  readonly tier: string
  /** ms from now until when: then there is room for both */
  readonly delay: number
  /** of `pace`: ms between two runs that begin */
  readonly every: number | undefined
  /** of `move`: the name of the tier that runs begin in */
  readonly to: string | undefined
  readonly applied: boolean
  /** it would be done, but this collision was drawn to be left alone, so that there is something to compare with */
  readonly control: boolean
}

/** What came of one that was done, or left alone to compare with. Costs in request seconds, by what they cost. */
export interface RemedyRecord {
  readonly id: string
  readonly kind: RemedyKind
  readonly workflow: string
  /** what the tier was about to ask for: of which kind, and its name */
  readonly of: ContendedKind
  readonly what: string
  readonly tier: string
  /** ms since the Unix epoch: when it was foretold, how probable it was, and when it was known what became of it */
  readonly at: number
  readonly probability: number
  readonly known: number
  readonly control: boolean
  /** runs of the workflow that were asked for until it was over, what they waited together (ms), and what that costs */
  readonly runs: number
  readonly waited: number
  readonly cost: number
  /** whether it came ({@link OutcomeNotice.came}); how many requests it made, what they waited together (ms), and what that costs */
  readonly came: boolean
  readonly upperRequests: number
  readonly upperWaited: number
  readonly upperCost: number
  /** what it saved, beside the mean of those that were left alone; undefined: it was one of them, or there were too few */
  readonly effect: number | undefined
}

export interface RemedyStatus {
  /** remedies that were told of */
  readonly advised: number
  /** runs that began later for one, and by how many ms together; began in another tier; gave back what they held meanwhile */
  readonly delayed: number
  readonly delayedMs: number
  readonly moved: number
  readonly paused: number
  /** what each kind that is done brings */
  readonly kinds: Readonly<Partial<Record<RemedyKind, RemedyWorth>>>
  /** what this governor has heard of agents */
  readonly notices: NoticesHeard
}

/** What remedies have to know of their workflow. */
export interface RemedySubject {
  readonly name: string
  /** index of the tier of its runs */
  readonly tierIndex: number
  /** the part of a pool that a run holds, 0 to 1; undefined: not known */
  needOf(pool: string): number | undefined
  /** tokens of a bucket that a run is admitted with; undefined: none, or not known */
  tokensOf(bucket: string): number | undefined
  /** the part of a pool that a tier could still have, 0 to 1; undefined: not known */
  roomOf(pool: string, tier: number): number | undefined
  /** ms for which a run goes on; undefined: not known */
  duration(): number | undefined
  /** runs that go on */
  running(): number
}

/** What a run that is about to begin says. */
interface Beginning {
  readonly tierIndex: number
  readonly signal: AbortSignal | undefined
  readonly waitTimeout: number | undefined
}

/** How it is to begin. */
export interface Begun {
  readonly tierIndex: number
  readonly waitTimeout: number | undefined
  readonly seen: OwnRun | undefined
}

/** Something that is done until it is over. Times in ms on the arena's clock. */
interface Measure {
  readonly kind: RemedyKind
  /** name of the pool, lock or bucket */
  readonly what: string
  readonly until: number
  readonly every: number
  /** of `pace`: when the next run may begin */
  next: number
  readonly to: number
}

const MS_PER_S = 1_000
/** Collisions of which it is not known yet what became of them. */
const TOLD_MOST = 64
/** ms after which runs that came count a third, and of which a rate is made at least */
const RATE_FADES_MS = 60_000
const RATE_LEAST_MS = 1_000
/** The seed of a string: FNV-1a (Fowler, Noll, Vo). */
const FNV_BASIS = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** The remedies of a workflow. A run that has begun goes on, unless it says that it can pause. */
export class Remedies {
  readonly #session: Session
  readonly #subject: RemedySubject
  readonly #options: ReadRemedies
  readonly #effects: RemedyEffects
  #measures: Measure[] = []
  /** ms until when runs are to be looked at before they begin */
  #until = Number.NEGATIVE_INFINITY
  /** told, by id, until what became of them is known */
  readonly #told = new Map<string, { readonly at: number; readonly probability: number }>()
  /** runs that came since then, and a rate of those before */
  arrivals = 0
  #rate = { since: 0, runs: 0, ms: 0 }
  /** runs have said that they can pause */
  #canPause = false
  /** of those who wait; undefined: nobody has */
  #wakers: Set<() => void> | undefined
  #advised = 0
  #delayed = 0
  #delayedMs = 0
  #moved = 0
  #paused = 0

  constructor(session: Session, subject: RemedySubject, options: ReadRemedies) {
    this.#session = session
    this.#subject = subject
    this.#options = options
    this.#effects = new RemedyEffects(subject.tierIndex)
    this.#rate.since = session.binding.now() / NS_PER_MS
  }

  /** Whether it does anything by itself. */
  get applies(): boolean {
    return this.#options.apply.length > 0
  }

  /**
   * A collision is foretold.
   *
   * @param at ms on the arena's clock when that was said
   * @returns undefined: it is in nobody's way, or nothing would pay
   */
  against(notice: ContentionNotice, at: number): Remedy | undefined {
    const { tiers } = this.#session
    const { tierIndex } = this.#subject
    const upper = tiers.indexOf(notice.tier)
    if (upper <= tierIndex) return undefined
    const now = this.#now()
    const all = proposals(this.#situation(notice, upper, now))
    const { apply } = this.#options
    const done = all.find(({ kind }) => apply.includes(kind) && this.#effects.isOn(kind, now))
    const proposal = done ?? all[0]
    if (proposal === undefined) return undefined
    this.#advised++
    const control = done !== undefined && this.#isControl(notice.id)
    if (done !== undefined) this.#watch(notice, done.kind, control, at, upper)
    if (done !== undefined && !control) this.#begin(done, notice.what, now)
    const { kind, delay, every, to } = proposal
    return {
      id: notice.id,
      kind,
      of: notice.kind,
      what: notice.what,
      tier: notice.tier,
      delay,
      every,
      to: to === undefined ? undefined : tiers[to],
      applied: done !== undefined && !control,
      control
    }
  }

  /** It is known what became of one; undefined: nothing was done about it. */
  outcome(notice: OutcomeNotice): RemedyRecord | undefined {
    const now = this.#now()
    const weighed = this.#effects.outcome(notice, now)
    const told = this.#told.get(notice.id)
    this.#told.delete(notice.id)
    if (weighed === undefined || told === undefined) return undefined
    const { id, kind: of, what, tier, came, requests, waited } = notice
    const { kind, control, runs, cost, upperCost, effect } = weighed
    return {
      id,
      kind,
      workflow: this.#subject.name,
      of,
      what,
      tier,
      at: this.#session.binding.wallClock(told.at * NS_PER_MS),
      probability: told.probability,
      known: this.#session.binding.wallClock(now * NS_PER_MS),
      control,
      runs,
      waited: weighed.waited,
      cost,
      came,
      upperRequests: requests,
      upperWaited: waited,
      upperCost,
      effect
    }
  }

  /** Whether a run that begins now is to be looked at by {@link begin}. */
  get concerns(): boolean {
    return this.#until > 0 && this.#now() < this.#until
  }

  /**
   * Until a run may begin, and how: put off once, however many collisions are foretold meanwhile. One that would wait longer than it says is not put off, but
   * moved to a higher tier, where it may be.
   *
   * @returns rejected with the signal's reason
   */
  async begin(run: Beginning): Promise<Begun> {
    run.signal?.throwIfAborted()
    const now = this.#now()
    const seen = this.#effects.asked(now)
    const { tierIndex, waitTimeout } = run
    const active = this.#active(now)
    // One in another tier than its workflow's is none of its.
    if (tierIndex !== this.#subject.tierIndex || active.length === 0) return { tierIndex, waitTimeout, seen }
    const delay = Math.min(this.#options.most, Math.max(...active.map(measure => beginOf(measure, now))) - now)
    if (waitTimeout !== undefined && delay > waitTimeout) return { tierIndex: this.#higher(tierIndex), waitTimeout, seen }
    for (const measure of active) if (measure.kind === 'pace') measure.next = now + delay + measure.every
    if (delay > 0) await this.#putOff(delay, run.signal, seen)
    const to = active.find(({ kind, until }) => kind === 'move' && until > now + delay)?.to
    if (to !== undefined) this.#moved++
    return { tierIndex: to ?? tierIndex, waitTimeout: waitTimeout === undefined ? undefined : waitTimeout - delay, seen }
  }

  /** A run waits no more to be admitted. */
  admitted(seen: OwnRun): void {
    seen.admitted ??= this.#now()
  }

  /**
   * A run has come to a place where it can pause: what it holds of a pool that is about to be wanted goes back at once, until there is room again.
   *
   * @returns undefined: there is no need; resolved when it has all of that again, rejected with the signal's reason, or as {@link Allocation.resize}
   */
  pause(tierIndex: number, allocations: readonly Allocation[], signal: AbortSignal | undefined): Promise<void> | undefined {
    this.#canPause = true
    // One in another tier than its workflow's is none of its.
    if (!this.concerns || tierIndex !== this.#subject.tierIndex) return undefined
    const now = this.#now()
    const splits = this.#active(now).filter(({ kind, what }) => kind === 'split' && allocations.some(({ name }) => name === what))
    const held = allocations.filter(({ name, ended }) => !ended && splits.some(({ what }) => what === name))
    if (held.length === 0) return undefined
    return this.#pauses(held, Math.max(...splits.map(({ until }) => until)) - now, signal)
  }

  async #pauses(held: readonly Allocation[], ms: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    this.#paused++
    const seen = this.#effects.asked(this.#now())
    const all = held.map(allocation => ({ allocation, amounts: allocation.amounts }))
    try {
      for (const { allocation, amounts } of all) allocation.tryResize(nothingOf(amounts))
      await this.#wait(ms, signal)
      for (const { allocation, amounts } of all) await allocation.resize(amounts, signal === undefined ? {} : { signal })
    } finally {
      if (seen !== undefined) this.admitted(seen)
    }
  }

  status(): RemedyStatus {
    return {
      advised: this.#advised,
      delayed: this.#delayed,
      delayedMs: this.#delayedMs,
      moved: this.#moved,
      paused: this.#paused,
      kinds: this.#effects.worth(this.#now()),
      notices: noticeBoardOf(this.#session).status()
    }
  }

  #situation(notice: ContentionNotice, upper: number, now: number): Situation {
    const subject = this.#subject
    const { kind, what } = notice
    const rate = this.#rateAt(now)
    return {
      notice,
      own: subject.tierIndex,
      upper,
      need: kind === 'pool' ? subject.needOf(what) : this.#needOf(notice, rate),
      rate,
      duration: subject.duration(),
      // What goes on can give back units of a pool; tokens are spent, and locks protect what is half done.
      running: kind === 'pool' && this.#canPause ? subject.running() : 0,
      lower: kind === 'pool' ? this.#lowerTiers(what) : [],
      most: this.#options.most
    }
  }

  /** The part of a lock, or of the tokens of a bucket, that a run takes: as it is admitted, or on average of its runs. */
  #needOf({ kind, what, capacity, users }: ContentionNotice, rate: number): number | undefined {
    const tokens = kind === 'bucket' ? this.#subject.tokensOf(what) : undefined
    const asked = users?.[this.#subject.name]
    if (tokens === undefined && (asked === undefined || !(rate > 0))) return undefined
    const units = tokens ?? (asked as number) / rate
    return capacity > 0 ? Math.min(1, units / capacity) : undefined
  }

  #lowerTiers(pool: string): RoomOfTier[] {
    const { tierIndex } = this.#subject
    return this.#options.tiers
      .filter(tier => tier < tierIndex)
      .flatMap(tier => {
        const room = this.#subject.roomOf(pool, tier)
        return room === undefined ? [] : [{ tier, room }]
      })
  }

  /** Runs in a second: those that came since the last look, with those of before that are not forgotten. */
  #rateAt(now: number): number {
    const { since, runs, ms } = this.#rate
    const passed = Math.max(0, now - since)
    const fade = Math.exp(-passed / RATE_FADES_MS)
    this.#rate = { since: now, runs: runs * fade + this.arrivals, ms: ms * fade + passed }
    this.arrivals = 0
    return (MS_PER_S * this.#rate.runs) / Math.max(RATE_LEAST_MS, this.#rate.ms)
  }

  /** The same for all workflows of the same seed: what is left alone is left alone by all. */
  #isControl(id: string): boolean {
    let hash = FNV_BASIS ^ this.#options.seed
    // By its number alone, and not by whose it is: what is drawn can be drawn again.
    for (let at = id.lastIndexOf(':') + 1; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), FNV_PRIME)
    return randomsOf(hash)() < this.#options.control
  }

  #watch(notice: ContentionNotice, kind: RemedyKind, control: boolean, at: number, upper: number): void {
    const { id, costs } = notice
    const now = this.#now()
    // What it is followed for is said as from now on.
    this.#effects.watch({ id, kind, control, at, within: notice.followed + now - at, upper, costs })
    this.#told.set(id, { at, probability: notice.probability })
    for (const oldest of this.#told.keys()) if (this.#told.size > TOLD_MOST) this.#told.delete(oldest)
    this.#until = Math.max(this.#until, this.#effects.until)
  }

  #begin({ kind, delay, every = 0, to = 0 }: Proposal, what: string, now: number): void {
    const until = now + delay
    this.#measures = [...this.#active(now), { kind, what, until, every, next: now, to }]
    this.#until = Math.max(this.#until, until)
  }

  /** Those that are not over. */
  #active(now: number): Measure[] {
    const active = this.#measures.filter(({ until }) => until > now)
    this.#measures = active
    return active
  }

  async #putOff(ms: number, signal: AbortSignal | undefined, seen: OwnRun | undefined): Promise<void> {
    this.#delayed++
    this.#delayedMs += ms
    try {
      await this.#wait(ms, signal)
    } catch (error) {
      // It waits no more.
      if (seen !== undefined) this.admitted(seen)
      throw error
    }
  }

  /** For so long, or until the governor closes. Rejected with the signal's reason. */
  #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    this.#wakers ??= this.#wakeAtTheEnd()
    const wakers = this.#wakers
    return new Promise<void>((resolve, reject) => {
      const cancel = after(this.#session, ms, end, true)
      function over(): void {
        cancel()
        wakers.delete(end)
        signal?.removeEventListener('abort', stop)
      }
      function end(): void {
        over()
        resolve()
      }
      function stop(): void {
        over()
        reject(signal?.reason)
      }
      wakers.add(end)
      signal?.addEventListener('abort', stop, { once: true })
    })
  }

  /** Nobody is to wait, and keep the process alive, for what is closed. */
  #wakeAtTheEnd(): Set<() => void> {
    const wakers = new Set<() => void>()
    this.#session.leaving.push(() => {
      for (const wake of [...wakers]) wake()
    })
    return wakers
  }

  /** The nearest tier above that a run may be moved to; its own, where there is none. */
  #higher(own: number): number {
    const { apply, tiers } = this.#options
    const above = apply.includes('move') ? tiers.filter(tier => tier > own) : []
    if (above.length === 0) return own
    this.#moved++
    return Math.min(...above)
  }

  /** ms on the arena's clock; for ever, once that was left. */
  #now(): number {
    const { joined, binding } = this.#session
    return joined ? binding.now() / NS_PER_MS : Number.POSITIVE_INFINITY
  }
}

/** When a run may begin that would begin now. */
function beginOf({ kind, until, next }: Measure, now: number): number {
  if (kind === 'reschedule') return until
  return kind === 'pace' ? Math.min(until, Math.max(now, next)) : now
}

const nothingOf = (amounts: AmountsByName): AmountsByName => Object.fromEntries(Object.keys(amounts).map(name => [name, 0]))
