import type { Tail } from './residuals.js'

/**
 * Too little is to be allocated in this part of the requests, unless it is said otherwise. This and what follows was set on the first third of the sizey
 * traces, for 2 % at most over some hundreds of requests.
 */
export const UNDER = 0.015
/** What the level begins above that of the rate. With 0 a fifth more requests go short and 1 % less is wasted, with 1 the reverse. */
const CAUTION = 0.5
/** How fast the level follows what is seen. From .2 to .5 they waste the same within 2 %. */
const RATE = 0.3
/** Of one in 160,000: what goes short all the same is another matter, and others should not pay for it. */
const LEVEL_MAX = 12
/** Of ln(1 + amount), before anything is known: 10 %. */
const FIRST_SCALE = 0.1
/** The errors of one model count as if so many more had the scale of all. .5, 1 and 2 waste the same. */
const PRIOR = 1
const DECAY = 0.99
/** In mean excesses. With 1 they waste 1 % more, with 0 as much, and more go short. */
const REACH = 0.5
/** Errors of several powers of ten say nothing of how far the greatest so far is exceeded. */
const REACH_SCALE_MAX = 0.25
/** What is hard to foretell may go short e^1.5 times as often as the rest, what is easy e^3 times as seldom. .7, 1.5 and 3 waste the same. */
const OFTENER = 1.5
const RARER = 3

export interface SavedRate {
  level: number
  excess: number
  count: number
}

/**
 * How far above what models say one resource is allocated, kept for all kinds of requests together: of one kind there are seldom enough to see a
 * rate of 1.5 %. Errors beyond a threshold are taken for exponential on the log scale, which is a Pareto tail (Hill 1975, Weissman
 * 1978), so that the logarithm of one over the rate is a level that can be tracked online (quantile tracking: Angelopoulos, Candès and Tibshirani,
 * "Conformal PID Control", 2023), which keeps the rate whatever the errors are. The rate is spent where it saves most: an amount whose errors reach
 * twice as far may go short twice as often, which is the newsvendor's rule for a cost of going short that is in proportion to the amount.
 */
export class UnderRate {
  private level: number
  /** of the tails of the errors: their sum beyond the thresholds, and how many they are, decayed */
  private excess = PRIOR * FIRST_SCALE
  private count = PRIOR

  constructor(private readonly under: number) {
    this.level = Math.log(1 / under) + CAUTION
  }

  /** The mean excess of errors of all kinds. */
  get scale(): number {
    return this.excess / this.count
  }

  /** How far a model's answer is to be raised that had these errors. */
  raise(tail: Tail, length: number): number {
    const scale = this.scaleOf(tail)
    const apart = Math.log(this.scale / scale)
    const level = Math.max(0, this.level + Math.min(RARER, Math.max(-OFTENER, apart)))
    return length === 0 ? scale * level : tail.base + scale * (Math.log(Math.max(1, tail.count) / length) + level)
  }

  /** How far beyond all that came, or is expected, allocations may lie: the mean excess, and more where too little was allocated. */
  get reach(): number {
    return Math.min(this.scale, REACH_SCALE_MAX) * Math.max(0, REACH + this.level - Math.log(1 / this.under))
  }

  /** How far an amount is raised of which next to nothing is known. */
  get blind(): number {
    return this.scale * this.level
  }

  scaleOf({ excess, count }: Tail): number {
    return (excess + PRIOR * this.scale) / (count + PRIOR)
  }

  /** Tells whether too little was allocated, and the errors that the best model had. */
  saw(isUnder: boolean, tail: Tail): void {
    this.level = Math.min(LEVEL_MAX, Math.max(0, this.level + RATE * ((isUnder ? 1 : 0) - this.under)))
    if (tail.count === 0) return
    this.excess = DECAY * this.excess + tail.excess / tail.count
    this.count = DECAY * this.count + 1
  }

  save(): SavedRate {
    return { level: this.level, excess: this.excess, count: this.count }
  }

  load({ level, excess, count }: SavedRate): void {
    this.level = level
    this.excess = excess
    this.count = count
  }
}
