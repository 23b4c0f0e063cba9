/** How much a workflow asks of a thing. */
interface User {
  readonly workflow: string
  /** faded as of `at`, ms */
  amount: number
  at: number
}

/** Workflows of a thing that are told apart: those that asked last. */
const USERS_MOST = 8
/** ms after which what was asked for counts a third as much. */
const FADE_MS = 60_000
/** One that has not asked for so long does not use it any more, ms. */
const FORGET_MS = 3_600_000
const MS_PER_S = 1_000

/** Which workflows use a thing, and how much. */
export class Users {
  /** who asked last is the last */
  #all: User[] = []

  /** @param now ms */
  came(workflow: string, amount: number, now: number): void {
    const at = this.#all.findIndex(one => one.workflow === workflow)
    const known = this.#all[at] ?? { workflow, amount: 0, at: now }
    if (at >= 0) this.#all.splice(at, 1)
    known.amount = fadedTo(known, now) + amount
    known.at = Math.max(known.at, now)
    this.#all.push(known)
    if (this.#all.length > USERS_MOST) this.#all.shift()
  }

  /** What each asks for in a second, on average of the last minute, by its name. @param now ms */
  rates(now: number): Readonly<Record<string, number>> {
    this.#all = this.#all.filter(({ at }) => now - at < FORGET_MS)
    return Object.fromEntries(this.#all.map(one => [one.workflow, (fadedTo(one, now) * MS_PER_S) / FADE_MS]))
  }
}

function fadedTo({ amount, at }: User, now: number): number {
  return amount * Math.exp(Math.min(0, at - now) / FADE_MS)
}
