import { NumberRows } from '../number-rows.js'

/** Workflows of a thing that are told apart: those that asked last. */
const USERS_MOST = 8
/**
 * The numbers of a thing are those of its users, who asked last first: the number of the workflow, 0 none; how much it asked for, faded as of then; and when it did,
 * ms.
 */
const [WHO, AMOUNT, AT] = [0, 1, 2]
const USER_NUMBERS = 3
const ROW = USERS_MOST * USER_NUMBERS
/** ms after which what was asked for counts a third as much. */
const FADE_MS = 60_000
/** One that has not asked for so long does not use it any more, ms. */
const FORGET_MS = 3_600_000
const MS_PER_S = 1_000

/** Which workflows use each of some things, and how much. Things have small numbers. */
export class Users {
  readonly #rows: NumberRows
  /** workflows that use anything, by number from 1 on, and in how many places each is told of: with the last one it is given up */
  readonly #numbers = new Map<string, number>()
  readonly #names: string[] = ['']
  readonly #uses: number[] = [0]
  readonly #unused: number[] = []

  /** @param least things that there is room for from the beginning */
  constructor(least?: number) {
    this.#rows = new NumberRows(ROW, least)
  }

  /** @param now ms */
  came(thing: number, workflow: string, amount: number, now: number): void {
    const who = this.#numbers.get(workflow) ?? this.#meet(workflow)
    const at = thing * ROW
    if (at >= this.#rows.numbers.length) this.#rows.clear(thing)
    const { numbers } = this.#rows
    const last = at + ROW - USER_NUMBERS
    let place = at
    while (place < last && numbers[place] !== who && numbers[place] !== 0) place += USER_NUMBERS
    const before = numbers[place] as number
    const then = before === who ? (numbers[place + AT] as number) : now
    const known = before === who ? faded(numbers, place, now) : 0
    if (before !== who) {
      this.#uses[who] = (this.#uses[who] as number) + 1
      if (before !== 0) this.#release(before)
    }
    for (let i = place - 1; i >= at; i--) numbers[i + USER_NUMBERS] = numbers[i] as number
    numbers[at + WHO] = who
    numbers[at + AMOUNT] = known + amount
    numbers[at + AT] = Math.max(then, now)
  }

  /** Whether any workflow has ever asked for it. */
  has(thing: number): boolean {
    const at = thing * ROW
    return at < this.#rows.numbers.length && this.#rows.numbers[at] !== 0
  }

  /** What each asks for in a second, on average of the last minute, by its name; who asked last is the last. @param now ms */
  rates(thing: number, now: number): Readonly<Record<string, number>> {
    const { numbers } = this.#rows
    const rates: [string, number][] = []
    for (const place of this.#places(thing)) {
      if (now - (numbers[place + AT] as number) >= FORGET_MS) continue
      rates.push([this.#names[numbers[place] as number] as string, (faded(numbers, place, now) * MS_PER_S) / FADE_MS])
    }
    return Object.fromEntries(rates.reverse())
  }

  /** Its number is another's from now on. */
  forget(thing: number): void {
    const { numbers } = this.#rows
    for (const place of this.#places(thing)) {
      this.#release(numbers[place] as number)
      numbers.fill(0, place, place + USER_NUMBERS)
    }
  }

  *#places(thing: number): Generator<number> {
    const at = thing * ROW
    const end = Math.min(at + ROW, this.#rows.numbers.length)
    for (let place = at; place < end && this.#rows.numbers[place] !== 0; place += USER_NUMBERS) yield place
  }

  #meet(workflow: string): number {
    const number = this.#unused.pop() ?? this.#names.length
    this.#names[number] = workflow
    this.#uses[number] = 0
    this.#numbers.set(workflow, number)
    return number
  }

  #release(who: number): void {
    const uses = (this.#uses[who] as number) - 1
    this.#uses[who] = uses
    if (uses > 0) return
    this.#numbers.delete(this.#names[who] as string)
    this.#names[who] = ''
    this.#unused.push(who)
  }
}

/** As of a time. */
function faded(numbers: Float64Array, place: number, now: number): number {
  return (numbers[place + AMOUNT] as number) * Math.exp(Math.min(0, (numbers[place + AT] as number) - now) / FADE_MS)
}
