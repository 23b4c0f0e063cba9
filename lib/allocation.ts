import type { ArenaWait } from './arena-wait.js'
import { type Ask, readAsk } from './ask.js'
import { callback, entry, refuse } from './checks.js'
import type { Element } from './element.js'
import { ClosedError, RecalledError } from './errors/index.js'
import { dispose } from './grant.js'
import { At, Code, DIMENSIONS, Ending, Time, UNITS_MAX } from './native/binding.js'
import { closed, isGone, quote } from './native/codes.js'
import type { Session } from './session.js'
import { after } from './timer.js'

/** What one grant of the arena holds; an allocation that grew has several. */
export interface Part {
  readonly seqLow: number
  readonly grantWord: number
  readonly waiter: number
  /** amounts, in the order of the pool's dimensions */
  units: readonly number[]
}

/** What an allocation that was resized knows besides. */
interface Growth {
  /** what came after the first part */
  more: Part[]
  /** what the last resize asked for: of more, whatever came of which request, the rest goes back */
  target: readonly number[]
  readonly waits: Set<ArenaWait<Part>>
}

/** What is known of an allocation whose end is watched. */
interface Watching {
  listeners: (() => void)[]
  controller: AbortController | undefined
  recalled: boolean
  stopGrace: (() => void) | undefined
}

/** The pool that an allocation is of, as far as it needs to know. */
export interface AllocatingPool {
  readonly name: string
  readonly session: Session
  readonly element: Element
  /** of the dimensions */
  readonly names: readonly string[]
  /**
   * Asks for more in the same way; undefined: there is none now.
   *
   * @param all what it will be together
   */
  tryGrow(terms: AllocationTerms, more: readonly number[], all: readonly number[]): Part | undefined
  /** Hands it over when there is, and takes it back if its governor is closing by then; undefined: there was. */
  grow(
    terms: AllocationTerms,
    more: readonly number[],
    all: readonly number[],
    ask: Ask,
    grown: (part: Part) => void,
    undone: (part: Part) => void
  ): ArenaWait<Part> | undefined
}

export interface GrowOptions {
  /** ms to wait at most; 0: do not wait; default: for ever */
  waitTimeout?: number | undefined
  signal?: AbortSignal | undefined
}

/** The terms of the request, which a growth is asked for in again. */
export interface AllocationTerms {
  readonly tier: number
  readonly tenant: number
  readonly workflow: number
  readonly client: number
  /** ms between a recall and the abort of `signal`; undefined: it is not revocable */
  readonly grace: number | undefined
}

/**
 * Units of a pool that are held. It ends once: by `release()`, `success()`, `ignore()` or `drop()`, or at the end of a `using` block. What a
 * process that dies held comes back by itself. Made by {@link Pool.allocate} and {@link Semaphore.acquire} only.
 */
export class Allocation {
  // The first part is the allocation itself, and what most never need stands apart: it is made for each request.
  /** @internal */
  readonly seqLow: number
  /** @internal */
  readonly grantWord: number
  /** @internal */
  readonly waiter: number
  /** @internal */
  units: readonly number[]
  private readonly pool: AllocatingPool
  private readonly terms: AllocationTerms
  private isEnded: boolean
  /** there is more to its end than to give it back: one of those below is there, or it is revocable */
  private special: boolean
  // Declared only: most have none of them, and all that an allocation is made of is memory to be fetched.
  declare private growth: Growth | undefined
  declare private watching: Watching | undefined
  declare private onEnd: ((how: End) => void) | undefined

  /** @internal */
  constructor(pool: AllocatingPool, terms: AllocationTerms, seqLow: number, grantWord: number, waiter: number, units: readonly number[]) {
    this.seqLow = seqLow
    this.grantWord = grantWord
    this.waiter = waiter
    this.units = units
    this.pool = pool
    this.terms = terms
    this.isEnded = false
    this.special = terms.grace !== undefined
    pool.session.held++
    if (this.special) this.watch()
  }

  /** The name of the pool. */
  get name(): string {
    return this.pool.name
  }

  /** What is held, by dimension. */
  get amounts(): Record<string, number> {
    const held = this.held()
    return Object.fromEntries(this.pool.names.map((name, d) => [name, held[d] as number]))
  }

  /** The name of the tier. */
  get tier(): string {
    return this.pool.session.tiers[this.terms.tier] ?? ''
  }

  /** True once it was released. */
  get ended(): boolean {
    return this.isEnded
  }

  /** True from the recall on: somebody of a higher tier is to have it back. */
  get recalled(): boolean {
    return this.watching?.recalled === true
  }

  /**
   * Aborts when the allocation was recalled and its grace is over, with a `RecalledError`, or when the governor closes, with a `ClosedError`.
   * It is held until it is released all the same.
   */
  get signal(): AbortSignal {
    const watching = this.watched()
    watching.controller ??= new AbortController()
    this.watch()
    return watching.controller.signal
  }

  /** Calls back once, when a revocable allocation is asked for: end the work, or make it smaller, within the grace. */
  on(event: 'recall', listener: () => void): this {
    if (event !== 'recall') throw refuse('event', "'recall'", event)
    callback(listener, 'listener')
    const watching = this.watched()
    if (watching.recalled) queueMicrotask(() => listener())
    else watching.listeners.push(listener)
    return this
  }

  /**
   * Holds these amounts from now on; a dimension not named stays as it is. What becomes less is given back at once; what becomes more is waited
   * for, and meanwhile the present amounts stay held. Where several calls wait at a time, the last one says how much it is in the end.
   *
   * @returns rejected as {@link Pool.allocate} if more cannot be had; then nothing has changed but what became less
   */
  async resize(amounts: Readonly<Record<string, number>>, options: GrowOptions = {}): Promise<void> {
    const { session } = this.pool
    const ask = readAsk(options, GROW_KNOWN, 'resize()', session)
    const more = this.shrinkTo(amounts)
    if (more === undefined) return
    const add = (part: Part) => this.add(part)
    const wait = this.pool.grow(this.terms, more, this.wanted(), ask, add, part => this.takeOut(part))
    if (wait !== undefined) await this.whileGrowing(wait)
    // Ended while it waited to grow: what came was given back.
    if (this.isEnded) throw this.over()
  }

  /** As {@link resize}, without waiting. False, and only what became less has changed, when there is not enough. */
  tryResize(amounts: Readonly<Record<string, number>>): boolean {
    const more = this.shrinkTo(amounts)
    if (more === undefined) return true
    const part = this.pool.tryGrow(this.terms, more, this.wanted())
    if (part === undefined) return false
    this.add(part)
    return true
  }

  /**
   * Gives all of it back. True if that ended it; false, and no error, when it had ended before.
   *
   * @throws CorruptError if the arena is damaged
   */
  release(): boolean {
    return this.end(Ending.Success)
  }

  /** Like `release()`: the work was done. */
  success(): boolean {
    return this.end(Ending.Success)
  }

  /** Releases; how long it took says nothing about the work (it failed early, or was a probe). */
  ignore(): boolean {
    return this.end(Ending.Ignored)
  }

  /** Releases; the work was given up because of overload or lack of time. */
  drop(): boolean {
    return this.end(Ending.Dropped)
  }

  [dispose](): void {
    this.end(Ending.Success)
  }

  /** @internal Writes it into the scratch as one of several that end together. False: there is more to its end than the addon's. */
  writeHeld(scratch: Int32Array, at: number): boolean {
    scratch[at + 1] = this.seqLow
    scratch[at + 2] = this.grantWord
    scratch[at + 3] = this.waiter
    return !this.isEnded && !this.special
  }

  /** @internal It ends, by whatever call. */
  markEnded(): void {
    this.isEnded = true
    this.pool.session.held--
  }

  /** @internal */
  get session(): Session {
    return this.pool.session
  }

  /** @internal */
  get owner(): object {
    return this.pool.session
  }

  /** @internal Asked after the addon said that something may have happened to what is watched. */
  check(): void {
    const watching = this.watched()
    if (watching.recalled || this.isEnded || !this.parts().some(part => this.isRecalled(part))) return
    watching.recalled = true
    const { session, name } = this.pool
    watching.controller ??= new AbortController()
    const { controller } = watching
    const expire = () =>
      controller.abort(new RecalledError(`an allocation of ${quote(name)} was recalled, and its grace is over`, { resource: name }))
    watching.stopGrace = after(session, this.terms.grace ?? 0, expire, false)
    // Not from here: one that throws must keep neither the others nor other allocations from being told.
    for (const listener of watching.listeners) queueMicrotask(() => listener())
    watching.listeners = []
  }

  /** @internal */
  close(): void {
    this.watching?.controller?.abort(closed(this.pool.name))
    this.unwatch()
  }

  /** @internal Calls back with how it ends. */
  whenEnded(then: (how: End) => void): this {
    this.special = true
    this.onEnd = then
    return this
  }

  private end(how: Ending): boolean {
    const { session } = this.pool
    if (this.isEnded) return false
    this.isEnded = true
    session.held--
    if (this.special) return this.endSpecial(how)
    const ended = this.giveBack(this, how)
    if (session.progress !== undefined) session.progress()
    return ended
  }

  private endSpecial(how: Ending): boolean {
    const { session } = this.pool
    const { growth } = this
    if (growth !== undefined) for (const wait of growth.waits) wait.cancel(this.over())
    if (this.watching !== undefined || this.terms.grace !== undefined) this.unwatch()
    try {
      if (growth === undefined) return this.giveBack(this, how)
      let released = false
      for (const part of this.parts()) released = this.giveBack(part, how) || released
      return released
    } finally {
      if (this.onEnd !== undefined) this.onEnd(ENDS[how])
      if (session.progress !== undefined) session.progress()
    }
  }

  private giveBack(part: Part, how: Ending): boolean {
    const { session, element } = this.pool
    const { scratch } = session
    scratch[At.Arena] = session.arena
    scratch[At.Index] = element.index
    scratch[At.SeqLow] = part.seqLow
    scratch[At.Grant] = part.grantWord
    scratch[At.Waiter] = part.waiter
    scratch[At.Ending] = how
    session.release()
    const code = scratch[At.OutCode]
    if (scratch[At.OutSettled] !== 0) session.waiting.settle()
    return code === Code.Ok || this.refused(code)
  }

  private refused(code: number): boolean {
    if (isGone(code)) return false
    throw this.pool.session.failure(code, this.pool.name)
  }

  /** Gives back what becomes less, and tells what is to become more. */
  private shrinkTo(amounts: Readonly<Record<string, number>>): readonly number[] | undefined {
    const { session, name, names } = this.pool
    const asked = readAmounts(names, amounts)
    session.mustBeOpen(name)
    if (this.isEnded) throw this.over()
    const held = this.held()
    const wanted = held.map((amount, d) => asked[d] ?? amount)
    this.grown().target = wanted
    const less = wanted.map((amount, d) => Math.max(0, (held[d] as number) - amount))
    const more = wanted.map((amount, d) => Math.max(0, amount - (held[d] as number)))
    if (less.some(amount => amount > 0)) this.giveUp(less)
    return more.some(amount => amount > 0) ? more : undefined
  }

  /** The last part first, so that what was grown goes as it came. */
  private giveUp(less: number[]): void {
    for (const part of this.parts().reverse()) {
      const left = part.units.map((amount, d) => {
        const taken = Math.min(amount, less[d] ?? 0)
        less[d] = (less[d] ?? 0) - taken
        return amount - taken
      })
      this.shrink(part, left)
      if (part !== this && left.every(amount => amount === 0)) {
        this.takeOut(part)
      }
    }
  }

  /** Gives a part back that it has grown by; one that went already is gone. */
  private takeOut(part: Part): void {
    const growth = this.grown()
    if (!growth.more.includes(part)) return
    growth.more = growth.more.filter(other => other !== part)
    this.giveBack(part, Ending.Ignored)
  }

  private shrink(part: Part, left: readonly number[]): void {
    const { session, name } = this.pool
    session.scratch[At.Waiter] = part.waiter
    session.scratch[At.SeqLow] = part.seqLow
    session.scratch[At.Grant] = part.grantWord
    for (let d = 0; d < DIMENSIONS; d++) session.times[Time.Amounts + d] = left[d] ?? 0
    const code = session.binding.shrink()
    session.waiting.settle()
    session.check(code, name)
    part.units = left
  }

  private add(part: Part): void {
    if (this.isEnded) {
      this.giveBack(part, Ending.Ignored)
      return
    }
    this.grown().more.push(part)
    const target = this.wanted()
    const less = this.held().map((amount, d) => Math.max(0, amount - (target[d] as number)))
    if (less.some(amount => amount > 0)) this.giveUp(less)
  }

  private wanted(): readonly number[] {
    return this.growth?.target ?? this.units
  }

  private async whileGrowing(wait: ArenaWait<Part>): Promise<void> {
    const { waits } = this.grown()
    waits.add(wait)
    try {
      await wait.promise
    } finally {
      waits.delete(wait)
    }
  }

  private over(): ClosedError {
    const { name } = this.pool
    return new ClosedError(`the allocation of ${quote(name)} has ended`, { resource: name })
  }

  private held(): number[] {
    const sum = [...this.units]
    for (const { units } of this.growth?.more ?? [])
      units.forEach((amount, d) => {
        sum[d] = (sum[d] ?? 0) + amount
      })
    return sum
  }

  private parts(): Part[] {
    return [this, ...(this.growth?.more ?? [])]
  }

  private grown(): Growth {
    this.special = true
    this.growth ??= { more: [], target: this.units, waits: new Set() }
    return this.growth
  }

  private watched(): Watching {
    this.special = true
    this.watching ??= { listeners: [], controller: undefined, recalled: false, stopGrace: undefined }
    return this.watching
  }

  private isRecalled({ seqLow, grantWord, waiter }: Part): boolean {
    const { session } = this.pool
    session.scratch[At.Waiter] = waiter
    session.scratch[At.SeqLow] = seqLow
    session.scratch[At.Grant] = grantWord
    return session.binding.recalled() === Code.Ok
  }

  private watch(): void {
    if (this.isEnded) return
    const { session } = this.pool
    if (session.joined) session.waiting.watched.add(this)
    else this.close()
  }

  private unwatch(): void {
    this.watching?.stopGrace?.()
    this.pool.session.waiting.watched.delete(this)
  }

  static {
    // As in grant.ts: a promise that is resolved with it looks up `then`.
    Object.defineProperty(Allocation.prototype, 'then', { value: undefined })
  }
}

/** How the work that held it ended. */
export type End = 'success' | 'ignore' | 'drop'

const ENDS: Record<number, End> = { [Ending.Success]: 'success', [Ending.Ignored]: 'ignore', [Ending.Dropped]: 'drop' }
const GROW_KNOWN = ['waitTimeout', 'signal'] as const

/**
 * Amounts in the order of the dimensions, whole units, rounded up; undefined where there is none.
 *
 * @throws ArgumentError
 */
export function readAmounts(names: readonly string[], amounts: unknown): (number | undefined)[] {
  if (typeof amounts !== 'object' || amounts === null) throw refuse('amounts', 'an object with an amount by dimension', amounts)
  const read = names.map(name => {
    const amount = entry(amounts, name)
    if (amount === undefined) return undefined
    if (typeof amount !== 'number' || !(amount >= 0 && amount <= UNITS_MAX)) {
      throw refuse(`amounts.${name}`, `a number from 0 to ${UNITS_MAX}`, amount)
    }
    return Math.ceil(amount)
  })
  let unlisted = read.filter(amount => amount !== undefined).length
  for (const key in amounts) {
    const d = names.indexOf(key)
    if (d < 0 && entry(amounts, key) !== undefined) throw refuse('amounts', `by the pool's dimensions (${names.join(', ')})`, key)
    if (d >= 0 && read[d] !== undefined) unlisted--
  }
  if (unlisted > 0) throw refuse('amounts', 'an object whose properties can be listed', amounts)
  return read
}
