/**
 * What a source of plans may cost before it has brought anything: of what the lower tiers' waiting costs, and seconds of the lowest. The part is the λ of
 * ski rental with predictions (Purohit, Svitkina and Kumar, NeurIPS 2018): nobody is trusted further than that it costs 1 + λ of what it would without.
 */
const ALLOWED_PART = 0.02
const ALLOWED_SECONDS = 1
/** ms after which what was saved or lost counts a third as much. */
const FORGET_MS = 1_800_000
/** A source that is put out is tried again after this, and each time after twice as long. */
const BACK_OFF_MS = 10_000
const BACK_OFF_MOST_MS = 600_000
/** Windows of which the mean is estimated: ms, and how many it takes. */
const WINDOW_MS = 30_000
const WINDOWS_LEAST = 5
/** Standard normal quantile of 95 %, two-sided. */
const Z = 1.96

export interface Benefit {
  /** what was saved a second, in request seconds by their costs */
  readonly mean: number
  /** of the 95 % interval; infinite where too little is known */
  readonly low: number
  readonly high: number
}

/**
 * Whether a source of plans may act. It has a budget, a part of what the lower tiers wait anyway, and gains what it saves and pays what it costs: as long
 * as the account is not overdrawn it may. So whatever it does, it costs no more than that. (A loss budget, as in safe bandits: Wu et al., Conservative
 * Bandits, ICML 2016.)
 */
export class Account {
  #isOn = true
  #saved = 0
  #allowed: number
  #seen = { saved: 0, lowerCost: 0, time: 0 }
  #backOff = BACK_OFF_MS
  #offUntil = 0
  #window: { from: number; saved: number } | undefined
  #windows = 0
  #mean = 0
  #squares = 0

  /**
   * @param lowest what waiting costs in the lowest tier, a request and second
   * @param probe of a source of which nothing is learnt while it is put out: what it may cost when it is tried again, with all that it lost still to be paid
   *   before it may cost more. 0: it is learnt of, and comes back when its account is even
   */
  constructor(
    readonly lowest: number,
    readonly probe = 0
  ) {
    this.#allowed = ALLOWED_SECONDS * lowest
  }

  get isOn(): boolean {
    return this.#isOn
  }

  /** What is left; below 0 it is overdrawn. */
  get balance(): number {
    return this.#saved + this.#allowed
  }

  /** Whether it was shown to bring more than it costs, with 95 % confidence. */
  get isProven(): boolean {
    return this.benefit().low > 0
  }

  benefit(): Benefit {
    const mean = this.#mean
    if (this.#windows < WINDOWS_LEAST) return { mean, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
    const error = Z * Math.sqrt(this.#squares / (this.#windows - 1) / this.#windows)
    return { mean, low: mean - error, high: mean + error }
  }

  /**
   * @param now ms
   * @param saved what it saved, since ever
   * @param lowerCost what waiting of lower tiers costs without it, since ever
   */
  settle(now: number, saved: number, lowerCost: number): void {
    const fade = Math.exp(-Math.max(0, now - this.#seen.time) / FORGET_MS)
    const more = saved - this.#seen.saved
    this.#saved = this.#saved * fade + more
    const least = ALLOWED_SECONDS * this.lowest
    this.#allowed = least + (this.#allowed - least) * fade + ALLOWED_PART * (lowerCost - this.#seen.lowerCost)
    this.#seen = { saved, lowerCost, time: now }
    this.#count(now, more)
    if (this.#isOn) {
      if (this.balance >= 0) return
      this.#isOn = false
      this.#offUntil = now + this.#backOff
      this.#backOff = Math.min(BACK_OFF_MOST_MS, 2 * this.#backOff)
    } else if (now >= this.#offUntil && (this.balance > 0 || this.probe > 0)) {
      this.#isOn = true
      if (this.balance <= 0) this.#saved = this.probe - this.#allowed
    }
  }

  #count(now: number, saved: number): void {
    this.#window ??= { from: now, saved: 0 }
    this.#window.saved += saved
    const time = now - this.#window.from
    if (time < WINDOW_MS) return
    const value = (1000 * this.#window.saved) / time
    this.#window = { from: now, saved: 0 }
    this.#windows++
    const off = value - this.#mean
    this.#mean += off / this.#windows
    this.#squares += off * (value - this.#mean)
  }
}
