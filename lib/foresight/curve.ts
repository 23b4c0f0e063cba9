import { Steps } from './steps.js'

/** Lengths of steps, in ms, and how many of each are kept: 102 s, 34 minutes, two days. */
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

  constructor(since: number, take: 'sum' | 'max') {
    this.#resolutions = RESOLUTIONS.map(({ step, kept }) => new Steps(step, kept, since, take))
  }

  add(time: number, value: number): void {
    for (const steps of this.#resolutions) steps.add(time, value)
  }

  /** At the finest resolution at which a horizon (ms) has few steps. */
  for(horizon: number): Steps {
    const fine = this.#resolutions.find(({ step }) => horizon <= STEPS_AHEAD * step)
    return fine ?? (this.#resolutions[this.#resolutions.length - 1] as Steps)
  }
}
