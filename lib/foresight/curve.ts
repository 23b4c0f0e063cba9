import { Steps } from './steps.js'

/** Lengths of steps, in ms, each a multiple of the first, and how many of each are kept: 102 s, 34 minutes, two days. */
const RESOLUTIONS = [
  { step: 100, kept: 1_024 },
  { step: 1_000, kept: 2_048 },
  { step: 60_000, kept: 2_880 }
] as const
/** A forecast has so many steps at most, if there are steps that are long enough. */
const STEPS_AHEAD = 60

/** One quantity over time, at several resolutions. */
export class Curve {
  readonly #resolutions: readonly Steps[]
  readonly #isSum: boolean
  /** what came in one of the shortest steps, of which the others are made: told to all of them when the next one begins */
  #at = Number.NaN
  #value = 0

  constructor(since: number, take: 'sum' | 'max') {
    this.#resolutions = RESOLUTIONS.map(({ step, kept }) => new Steps(step, kept, since, take))
    this.#isSum = take === 'sum'
  }

  add(time: number, value: number): void {
    const at = Math.floor(time / RESOLUTIONS[0].step)
    if (at !== this.#at) {
      this.#pass()
      this.#at = at
      this.#value = value
    } else {
      this.#value = this.#isSum ? this.#value + value : Math.max(this.#value, value)
    }
  }

  /** At the finest resolution at which a horizon (ms) has few steps. */
  for(horizon: number): Steps {
    this.#pass()
    const fine = this.#resolutions.find(({ step }) => horizon <= STEPS_AHEAD * step)
    return fine ?? (this.#resolutions[this.#resolutions.length - 1] as Steps)
  }

  #pass(): void {
    if (Number.isNaN(this.#at)) return
    for (const steps of this.#resolutions) steps.add(this.#at * RESOLUTIONS[0].step, this.#value)
    this.#at = Number.NaN
  }
}
