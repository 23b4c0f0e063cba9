/** How a model does by its own standard: as ever; worse than it was, to be learnt anew; so much worse that it is not to be listened to. */
export type Health = 'fine' | 'drifting' | 'out'

/** Its health, and its numbers. */
export type SavedDrift = [
  health: Health,
  seen: number,
  mean: number,
  square: number,
  size: number,
  sum: number,
  recent: number,
  proof: number
]

/** Losses from which it is learnt what is usual. */
const WARM = 64
/** What is usual follows while all is well, as a mean of so many. */
const USUAL = 1_000
/** Losses vary; one of them alone says no more than this many standard deviations. */
const MOST = 4
/**
 * In standard deviations: what is taken off each, and the sums at which a model drifts, and is out. Of independent losses, be they exponential or absolute normal ones,
 * less than one in 100,000 makes a model drift though nothing has changed; where they double it drifts after 20 to 40 of them, and is out after 80 to 140
 * (the first is tested with other numbers, in test/lib/predict/health.test.ts).
 */
const SLACK = 0.3
const DRIFTING = 20
const OUT = 60
/** A model that drifts is fine again when the sum has fallen to this part. */
const CALM = 0.5
/** Losses in which a model that is out has to prove itself, and how many of the last ones count. */
const PROOF = 48
const RECENT = 16
/** Of a standard deviation: so much worse than usual is as good. */
const AS_GOOD = 0.25
/** And in proportion to those that are listened to. */
const AS_OTHERS = 1.05
/** A part of the values that no standard deviation is below: what is off by less is off by nothing. */
const NEGLIGIBLE = 1e-3
/** Its square is a number still. */
const LARGEST = 1e150

/**
 * Whether a model's losses have become larger: the Page-Hinkley test (Page, Biometrika 41, 1954; Hinkley, Biometrika 58, 1971), as it is used to find concept
 * drift (Gama et al., ACM Computing Surveys 46(4), 2014), against what was usual while all was well.
 */
export class DriftDetector {
  health: Health = 'fine'
  private seen = 0
  private mean = 0
  private square = 0
  private size = 0
  private sum = 0
  private recent = 0
  private proof = 0

  /** @param saved what `JSON` makes of another one */
  constructor(saved?: SavedDrift) {
    if (saved !== undefined) [this.health, this.seen, this.mean, this.square, this.size, this.sum, this.recent, this.proof] = saved
  }

  toJSON(): SavedDrift {
    return [this.health, this.seen, this.mean, this.square, this.size, this.sum, this.recent, this.proof]
  }

  /** Mean of the last losses; NaN of none. */
  get recentLoss(): number {
    return this.seen === 0 ? Number.NaN : this.recent
  }

  /** Mean of the losses while all was well; NaN of none. */
  get usualLoss(): number {
    return this.seen === 0 ? Number.NaN : this.mean
  }

  /** From 0 to 1: how much it is still to be listened to. */
  get weight(): number {
    if (this.health === 'out') return 0
    if (this.health === 'fine' || this.recent <= this.mean) return 1
    return (this.mean / this.recent) ** 2
  }

  /**
   * @param given the loss, >= 0
   * @param size of what was foretold, beside which a loss is large or small
   * @param others recent loss of the best other model that is listened to; undefined: there is none
   */
  see(given: number, size: number, others?: number): Health {
    const loss = Math.min(given, LARGEST)
    this.seen++
    this.recent += (loss - this.recent) / Math.min(this.seen, RECENT)
    this.size += (size - this.size) / Math.min(this.seen, USUAL)
    if (this.seen > WARM) this.judge(loss, others)
    if (this.health === 'fine') this.learn(loss)
    return this.health
  }

  /** It has learnt anew: what was held against it is forgotten; one that is out has to prove itself all the same. */
  retrained(): void {
    this.sum = 0
    this.proof = 0
    if (this.health === 'drifting') this.health = 'fine'
  }

  private judge(loss: number, others: number | undefined): void {
    const deviation = Math.max(Math.sqrt(Math.max(0, this.square)), NEGLIGIBLE * this.size, Number.MIN_VALUE)
    const above = Math.min(MOST, Math.max(-MOST, (loss - this.mean) / deviation))
    if (this.health === 'out') {
      this.proof++
      const isAsGood = this.recent <= this.mean + AS_GOOD * deviation || (others !== undefined && this.recent <= AS_OTHERS * others)
      if (this.proof < PROOF) return
      if (isAsGood) this.letBack()
      return
    }
    this.sum = Math.max(0, this.sum + above - SLACK)
    if (this.sum >= OUT) {
      this.health = 'out'
      this.proof = 0
    } else if (this.sum >= DRIFTING) this.health = 'drifting'
    else if (this.sum < CALM * DRIFTING) this.health = 'fine'
  }

  private letBack(): void {
    this.health = 'fine'
    this.sum = 0
    // It may be as good as others and still not as it was: that is usual from now on.
    this.mean = Math.max(this.mean, this.recent)
  }

  private learn(loss: number): void {
    const part = 1 / Math.min(this.seen, USUAL)
    const apart = loss - this.mean
    this.mean += part * apart
    this.square += part * (apart * (loss - this.mean) - this.square)
  }
}
