import type { Scorekeeper } from '../predict/scorekeeper.js'
import type { Key } from './keys.js'

/** What was said of a key: that a request of a tier, or of one above it, comes until then. */
interface Check {
  readonly key: Key
  readonly probability: number
  readonly tier: number
  readonly within: number
  /** ms, when it was said, and until when */
  readonly said: number
  readonly due: number
  /** it was judged */
  isOver: boolean
}

/** Scores that wait to be judged; of more, what is said is not checked. */
const OPEN_MAX = 4_096
/** ms after which what came has been told of. */
const LATE_MS = 1_000
const MODEL = 'keys'
/** There is room for so many keys from the first on. */
const KEYS_LEAST = 64

/** Judges scores of keys when their time is over: whether the request came that was foretold. Of a key one at a time for each tier and time. */
export class ScoreChecks {
  readonly #scores: Scorekeeper
  readonly #open = new Map<Key, Check[]>()
  /** by the numbers of keys, how many of those that have or had it are open: almost all that comes is about none, and to find that out in a map took a twentieth of the CPU of an agent */
  #byNumber = new Uint16Array(KEYS_LEAST)
  /** by their time, in the order in which they were said */
  readonly #queues = new Map<number, Check[]>()
  /** what scores are counted for, by time and tier: no more times than there are predictors for */
  readonly #sources = new Map<number, string[]>()
  #size = 0
  #judged = 0

  constructor(scores: Scorekeeper) {
    this.#scores = scores
  }

  /** Whether there may be anything to judge of a key, by its number. */
  mayJudge(number: number): boolean {
    return number < this.#byNumber.length && this.#byNumber[number] !== 0
  }

  /** Something was said. @param now ms @param within ms */
  expect(key: Key, probability: number, tier: number, within: number, now: number): void {
    for (const queue of this.#queues.values()) this.#settle(queue, now - LATE_MS)
    const open = this.#open.get(key)
    if (this.#size >= OPEN_MAX || open?.some(one => one.tier === tier && one.within === within)) return
    const check = { key, probability, tier, within, said: now, due: now + within, isOver: false }
    if (open === undefined) this.#begin(key, check)
    else open.push(check)
    const queue = this.#queues.get(within)
    if (queue === undefined) this.#queues.set(within, [check])
    else queue.push(check)
    this.#size++
  }

  /** A request came. @param time ms */
  came(key: Key, tier: number, time: number): void {
    const open = this.#open.get(key)
    if (open === undefined) return
    for (const check of open) if (tier >= check.tier && time > check.said && time <= check.due) this.#close(check, true)
  }

  /** Made once: there may be thousands a second. */
  #source(within: number, tier: number): string {
    const ofTime = this.#sources.get(within) ?? []
    if (ofTime.length === 0) this.#sources.set(within, ofTime)
    ofTime[tier] ??= JSON.stringify([{ within, tier }])
    return ofTime[tier]
  }

  #begin(key: Key, check: Check): void {
    this.#open.set(key, [check])
    const { number } = key
    if (number >= this.#byNumber.length) {
      const more = new Uint16Array(2 * number)
      more.set(this.#byNumber)
      this.#byNumber = more
    }
    this.#byNumber[number] = (this.#byNumber[number] as number) + 1
  }

  #end(key: Key): void {
    this.#open.delete(key)
    this.#byNumber[key.number] = (this.#byNumber[key.number] as number) - 1
  }

  /** What was due before has not come. */
  #settle(queue: Check[], before: number): void {
    let over = 0
    for (; over < queue.length; over++) {
      const check = queue[over] as Check
      if (check.due > before && !check.isOver) break
      this.#close(check, false)
    }
    // Asked of each that is said, and mostly nothing is over.
    if (over === 0) return
    queue.splice(0, over)
    this.#size -= over
  }

  #close(check: Check, came: boolean): void {
    if (check.isOver) return
    check.isOver = true
    const { key, probability, tier, within } = check
    const left = this.#open.get(key)?.filter(one => one !== check) ?? []
    if (left.length === 0) this.#end(key)
    else this.#open.set(key, left)
    const source = this.#source(within, tier)
    const due = this.#judged++
    this.#scores.expect({ model: MODEL, source, due, probability })
    this.#scores.came(source, due, came)
  }
}
