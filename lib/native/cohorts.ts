import type { RequestNames } from '../request-names.js'

/** A request that waits behind a grant of its own environment, where the arena does not know of it. */
export interface Mate {
  /** 0..3, lowest first */
  readonly tierIndex: number
  /** ns on the arena clock */
  readonly arrival: number
  /** who asks, for the record of its grant */
  readonly names: RequestNames | undefined
  /** whether it still waits here */
  readonly inCohort: boolean
  /** The grant is its now, with this sequence. */
  takeOver(seqLow: number, grantWord: number): void
  /** Queues it in the arena, by its arrival. */
  enterArena(): void
  /** the next of its tier */
  next: Mate | undefined
}

/** After this time they move into the arena anyway, so that others can see who waits. */
const SHOWN_AFTER_MS = 50

const TIERS = 4

/** Those of one lock: FIFO in each tier. Members that ended otherwise stay linked until they would be served. */
class Cohort {
  size = 0
  private readonly first: (Mate | undefined)[] = new Array(TIERS).fill(undefined)
  private readonly last: (Mate | undefined)[] = new Array(TIERS).fill(undefined)

  add(mate: Mate): void {
    const tier = mate.tierIndex
    const last = this.last[tier]
    if (last === undefined) this.first[tier] = mate
    else last.next = mate
    this.last[tier] = mate
    this.size++
  }

  /** The one to be served next, by the arena's rule: a tier outweighs an arrival up to `ageing` ns earlier (0: any). */
  next(ageing: number): Mate | undefined {
    let chosen: Mate | undefined
    for (let tier = TIERS - 1; tier >= 0; tier--) {
      const mate = this.firstOf(tier)
      if (mate === undefined) continue
      if (chosen === undefined || (ageing > 0 && mate.arrival + (chosen.tierIndex - tier) * ageing < chosen.arrival)) chosen = mate
    }
    return chosen
  }

  /** Takes out what {@link next} has just named. */
  remove(mate: Mate): void {
    this.unlink(mate)
    this.size--
  }

  /** Takes out everybody, oldest first in each tier, highest tier first. */
  takeAll(): Mate[] {
    const all: Mate[] = []
    for (let tier = TIERS - 1; tier >= 0; tier--) {
      for (let mate = this.firstOf(tier); mate !== undefined; mate = this.firstOf(tier)) {
        this.remove(mate)
        all.push(mate)
      }
    }
    return all
  }

  all(): Mate[] {
    const all: Mate[] = []
    for (const first of this.first) {
      for (let mate = first; mate !== undefined; mate = mate.next) if (mate.inCohort) all.push(mate)
    }
    return all
  }

  private firstOf(tier: number): Mate | undefined {
    let mate = this.first[tier]
    while (mate !== undefined && !mate.inCohort) {
      this.unlink(mate)
      mate = this.first[tier]
    }
    return mate
  }

  /** The first of its tier. */
  private unlink(mate: Mate): void {
    const tier = mate.tierIndex
    const next = mate.next
    mate.next = undefined
    this.first[tier] = next
    if (next === undefined) this.last[tier] = undefined
  }
}

/**
 * The waits of one environment for locks that a grant of the same environment holds while nobody else waits for them: kept here, and handed
 * on by one compare-and-swap in the arena, instead of through the arena's queue. As soon as anything else comes into play (a waiter
 * of another environment, a request that is more than plain, a look at the arena, 50 ms), they move there, each with its
 * arrival, so that the order is what it would have been. After lock cohorting (Dice, Marathe, Shavit, PPoPP 2012), without its
 * unfairness: a cohort ends with the first outsider.
 */
export class Cohorts {
  /** 0: there are none, and a plain request needs no look at them */
  active = 0
  private enclosedWaits = 0
  private readonly byElement = new Map<number, Cohort>()
  // The one asked for last: a burst asks for the same one again and again.
  private lastElement = -1
  private last: Cohort | undefined = undefined
  private timer: ReturnType<typeof setTimeout> | undefined = undefined
  private instant = 0
  private readonly forgetInstant = () => {
    this.instant = 0
  }
  private readonly showLater = () => {
    this.timer = undefined
    this.show()
  }

  constructor(
    private readonly now: () => number,
    /** ns */
    private readonly ageing: () => number,
    /** a longer queue stays unseen as long as it can, because the arena may have no room for all of it */
    private readonly shownMost: number
  ) {}

  /** Whether waits belong to enclosing grants: they inherit the tier of whoever waits for the grant, so all have to wait in the arena. */
  get enclosed(): boolean {
    return this.enclosedWaits > 0
  }

  enclose(more: 1 | -1): void {
    this.enclosedWaits += more
    this.active += more
  }

  has(element: number): boolean {
    return this.of(element) !== undefined
  }

  /** The arena's time, read once for all requests that come in one go. */
  time(): number {
    if (this.instant === 0) {
      this.instant = this.now()
      queueMicrotask(this.forgetInstant)
    }
    return this.instant
  }

  add(element: number, mate: Mate): void {
    let cohort = this.of(element)
    if (cohort === undefined) {
      cohort = new Cohort()
      this.last = cohort
      this.byElement.set(element, cohort)
      this.active++
      this.timer ??= setTimeout(this.showLater, SHOWN_AFTER_MS).unref()
    }
    cohort.add(mate)
  }

  /** The one to be served next. */
  next(element: number): Mate | undefined {
    return this.of(element)?.next(this.ageing())
  }

  /** Takes out the one that {@link next} has just named. */
  remove(element: number, mate: Mate): void {
    const cohort = this.of(element)
    if (cohort === undefined) return
    cohort.remove(mate)
    if (cohort.size === 0) this.end(element)
  }

  /** Somebody's wait ended otherwise. */
  left(element: number): void {
    const cohort = this.of(element)
    if (cohort !== undefined && --cohort.size === 0) this.end(element)
  }

  /** Moves those of one lock into the arena. */
  dissolve(element: number): void {
    const cohort = this.of(element)
    if (cohort === undefined) return
    this.end(element)
    // Those served at once may run code of the user, which may end the waits of others.
    for (const mate of cohort.takeAll()) if (mate.inCohort) mate.enterArena()
  }

  dissolveAll(): void {
    for (const element of [...this.byElement.keys()]) this.dissolve(element)
  }

  private of(element: number): Cohort | undefined {
    if (element !== this.lastElement) {
      this.lastElement = element
      this.last = this.byElement.get(element)
    }
    return this.last
  }

  /** Moves into the arena what has room there, for no other reason than to be seen. */
  show(): void {
    for (const [element, { size }] of [...this.byElement]) if (size <= this.shownMost) this.dissolve(element)
  }

  /** Those of one lock, without moving anyone. */
  at(element: number): Mate[] {
    return this.of(element)?.all() ?? []
  }

  /** Everybody, without moving anyone. */
  all(): Mate[] {
    return [...this.byElement.values()].flatMap(cohort => cohort.all())
  }

  private end(element: number): void {
    if (this.byElement.delete(element)) this.active--
    this.lastElement = -1
    this.last = undefined
  }
}
