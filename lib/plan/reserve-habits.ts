/** Who asks a bucket: a reserve is for a tenant, or for a workflow where there is none. */
export interface Asker {
  readonly workflow: string | undefined
  readonly tenant: string | undefined
}

/** Askers that are told apart. */
export const ASKERS = 8
/** ms after which what was asked for counts a third as much: what is kept is for the next burst, and that may be long in coming. */
export const FADE_MS = 3_600_000
/** The core counts what plans may keep of a bucket by the tokens of so long. */
export const WINDOW_MS = 10_000

export interface Habit {
  readonly asker: Asker
  worth: number
}

/**
 * For whom reserves are usually worth most, over all buckets of an arena: what is expected of a bucket of which little is known yet, where it counts as much as one window
 * of its own (an empirical Bayes prior: Robbins, Proc. Third Berkeley Symposium, 1956).
 */
export class ReserveHabits {
  readonly #fade: number
  readonly #period: number
  readonly #habits = new Map<string, Habit>()
  #windows = 0
  #buckets = 0

  /** @param period ms between two calls of {@link tick} */
  constructor(period: number) {
    this.#period = period
    this.#fade = Math.exp(-period / FADE_MS)
  }

  bucketBegan(): void {
    this.#buckets++
  }

  bucketEnded(): void {
    this.#buckets--
  }

  forget(tenant: string): void {
    this.#habits.delete(keyOf({ workflow: undefined, tenant }))
  }

  /** @param worth of so much of a reserve as it has room for, 0 to what waiting costs */
  add(key: string, asker: Asker, worth: number): void {
    const habit = this.#habits.get(key)
    if (habit !== undefined) {
      habit.worth += worth
      return
    }
    if (this.#habits.size >= ASKERS) dropLeast(this.#habits)
    this.#habits.set(key, { asker, worth })
  }

  /** Once a period. */
  tick(): void {
    this.#windows = this.#windows * this.#fade + this.#period / WINDOW_MS
    for (const habit of this.#habits.values()) habit.worth *= this.#fade
  }

  askers(): ReadonlyMap<string, Readonly<Habit>> {
    return this.#habits
  }

  /** What a whole reserve would be worth to somebody within a window at a bucket, on average. */
  worth(key: string): number {
    const habit = this.#habits.get(key)
    return habit === undefined ? 0 : this.worthOf(habit)
  }

  /** The same of one of {@link askers}. */
  worthOf({ worth }: Readonly<Habit>): number {
    return worth / (Math.max(1, this.#buckets) * Math.max(1, this.#windows))
  }
}

/** Of some askers the one to whom reserves are worth least. */
export function dropLeast(askers: Map<string, { readonly worth: number }>): void {
  let least: string | undefined
  let worth = Number.POSITIVE_INFINITY
  for (const [key, one] of askers) {
    if (one.worth >= worth) continue
    least = key
    worth = one.worth
  }
  if (least !== undefined) askers.delete(least)
}

/** Empty: it cannot be named. */
export function keyOf({ workflow, tenant }: Asker): string {
  if (tenant !== undefined) return `tenant\0${tenant}`
  return workflow === undefined ? '' : `workflow\0${workflow}`
}
