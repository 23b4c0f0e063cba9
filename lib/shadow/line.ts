import type { HoldTime } from './hold-times.js'

/** One that holds or will. */
export interface Holder {
  readonly member: Member
  /** ms from now */
  end: number
  /** how long it is held is not known: `end` is there for the order alone */
  readonly guessed: boolean
}

/** One that waits, or holds already; times in ms from now. */
export interface Member {
  readonly tier: number
  /** when it came, and so where it stands; for a holder: of its grant */
  readonly arrival: number
  /** gives up, or loses it */
  readonly until: number
  /** may hold for so long */
  readonly ttl: number
  readonly hold: HoldTime
  readonly shared: boolean
  readonly steal: boolean
  readonly workflow: number
  readonly tenant: number
  readonly revocable: boolean
  readonly amounts: readonly number[]
  /** ms that it says it will hold, 0: nothing */
  readonly declared: number
}

/** The rules by which an element grants. */
export interface Rules {
  /** The next to be served now; undefined: nobody can be. */
  choose(line: Line, now: number): Member | undefined
  granted(member: Member): void
  ended(member: Member): void
  /** When, besides at the end of a hold or a wait, it is to be looked at again: the first such time after now. */
  next(line: Line, now: number): number
}

/** Handicap of a tier when ageing is off, as in the core: longer than any wait. */
const NEVER_MS = 2 ** 60 / 1e6
/**
 * How long something is thought to go on of which nothing is known, so that those behind it come at all: no time is told that follows from it. Short,
 * so that nobody is thought to have given up or aged by then.
 */
const GUESS_MS = 1
const TIERS = 4

/** What became of one member. */
export interface Served {
  readonly at: number
  /** it follows from a hold of which nothing is known */
  readonly guessed: boolean
}

/**
 * One course of events from what stands now: holds end, waits time out, and each time whoever is next by the rules is served. Nobody else comes.
 */
export class Line {
  // Those before the place in `first` are gone: to take the first out of a long array moves all the others.
  private readonly waiting: Member[][] = Array.from({ length: TIERS }, () => [])
  private readonly first: number[] = new Array<number>(TIERS).fill(0)
  /** those in which anybody has waited, lowest first: mostly it is one, and the others need no look */
  readonly tiers: number[] = []
  /** the latest first, as in the arena */
  readonly holders: Holder[] = []
  readonly served = new Map<Member, Served>()
  readonly order: Member[] = []
  /** what it has cost so far: members looked at */
  work = 0
  /** it was ended for what it cost, and what has not happened yet is not known */
  cut = false
  /** some hold in it might have been of another length */
  chance = false
  private guessed = false
  private now = 0

  constructor(
    private readonly rules: Rules,
    /** ms, 0: none */
    readonly ageing: number,
    waiters: readonly (readonly Member[])[],
    holders: readonly Member[],
    /** quantiles of the holds, one after the other */
    private readonly draw: () => number
  ) {
    waiters.forEach((list, tier) => {
      this.waiting[tier] = [...list]
      if (list.length > 0) this.tiers.push(tier)
      this.work += list.length
    })
    for (const member of [...holders].reverse()) this.hold(member, Math.max(0, -member.arrival), member.until)
  }

  /** The one key of all order. */
  key({ tier, arrival, steal }: Member): number {
    return steal ? Number.NEGATIVE_INFINITY : arrival + (TIERS - 1 - tier) * (this.ageing > 0 ? this.ageing : NEVER_MS)
  }

  /** The first of a tier; who has given up is not there any more. */
  head(tier: number): Member | undefined {
    const list = this.waiting[tier] as Member[]
    let at = this.first[tier] as number
    while (at < list.length && (list[at] as Member).until <= this.now) at++
    this.first[tier] = at
    this.work++
    return list[at]
  }

  /** Those first in the list of their tier, lowest tier first. */
  heads(): Member[] {
    const heads: Member[] = []
    for (const tier of this.tiers) {
      const head = this.head(tier)
      if (head !== undefined) heads.push(head)
    }
    return heads
  }

  /** How many wait in a tier. */
  count(tier: number): number {
    return (this.waiting[tier] as Member[]).length - (this.first[tier] as number)
  }

  /** The one at that place of a tier, from 0 on. */
  at(tier: number, place: number): Member {
    return (this.waiting[tier] as Member[])[(this.first[tier] as number) + place] as Member
  }

  /** It waits no longer. */
  remove(member: Member): void {
    const list = this.waiting[member.tier] as Member[]
    const first = this.first[member.tier] as number
    if (list[first] === member) this.first[member.tier] = first + 1
    else list.splice(list.indexOf(member, first), 1)
  }

  /** Goes on until `own`, which comes at its arrival, is served, or all are; or until it has cost so much. */
  run(own: Member | undefined, untilAll: boolean, most: number): void {
    let coming = own
    while (!this.cut) {
      if (coming !== undefined && coming.arrival <= this.now) {
        this.join(coming)
        coming = undefined
      }
      this.serve(most)
      const done = coming === undefined && (own === undefined || this.served.has(own)) && (!untilAll || this.isEmpty())
      if (done) return
      const next = Math.min(this.nextEnd(), this.rules.next(this, this.now), coming?.arrival ?? Number.POSITIVE_INFINITY)
      if (next === Number.POSITIVE_INFINITY) return
      this.moveTo(next)
    }
  }

  private isEmpty(): boolean {
    return this.tiers.every(tier => this.count(tier) === 0)
  }

  private join(member: Member): void {
    this.waiting[member.tier]?.push(member)
    if (this.tiers.includes(member.tier)) return
    this.tiers.push(member.tier)
    this.tiers.sort((a, b) => a - b)
  }

  private serve(most: number): void {
    for (;;) {
      this.cut = this.work > most
      const member = this.cut ? undefined : this.rules.choose(this, this.now)
      if (member === undefined) return
      this.remove(member)
      this.served.set(member, { at: this.now, guessed: this.guessed })
      this.order.push(member)
      this.hold(member, 0, this.now + member.ttl)
    }
  }

  /** @param limit when it ends at the latest */
  private hold(member: Member, age: number, limit: number): void {
    const { hold } = member
    const left = hold.left(age, this.draw())
    if (left !== undefined && (hold.basis !== 'declared' || age > member.declared)) this.chance = true
    const expected = this.now + (left ?? GUESS_MS)
    const holder = { member, end: Math.min(expected, limit), guessed: left === undefined && expected < limit }
    if (this.holders.length === 0) this.holders.push(holder)
    else this.holders.unshift(holder)
    this.rules.granted(member)
  }

  private nextEnd(): number {
    let next = Number.POSITIVE_INFINITY
    this.work += this.holders.length
    for (const { end } of this.holders) if (end < next) next = end
    // Who gives up at the head lets the next one to it.
    for (const tier of this.tiers) {
      const head = this.head(tier)
      if (head !== undefined && head.until < next) next = head.until
    }
    return next
  }

  /** One end at a time, the oldest grant first: what it leaves is given away before the next one comes, as in the gate. */
  private moveTo(time: number): void {
    this.now = Math.max(this.now, time)
    const { holders, now } = this
    let ended = -1
    for (let at = 0; at < holders.length; at++) {
      const { end } = holders[at] as Holder
      if (end <= now && (ended < 0 || end <= (holders[ended] as Holder).end)) ended = at
    }
    if (ended < 0) return
    const holder = holders[ended] as Holder
    if (ended === holders.length - 1) holders.pop()
    else holders.splice(ended, 1)
    if (holder.guessed) this.guessed = true
    this.rules.ended(holder.member)
  }

  /** Takes it from its holders, for one that steals. */
  revoke(): void {
    for (const { member } of this.holders.splice(0)) this.rules.ended(member)
  }
}
