/** Who has what of a pool, in units of its first dimension, and for how long some of it was idle. */
export class PoolAccount {
  readonly used: Float64Array
  readonly waiting: Uint32Array
  /** what is kept free for each tier, as it is in force */
  readonly keeps: Float64Array
  private since = 0
  /** of all tiers */
  usedNow = 0
  private waitingNow = 0
  private usedTime = 0
  private keptTime = 0

  constructor(
    /** of the pool */
    readonly name: string,
    readonly capacity: number,
    tiers: number
  ) {
    this.used = new Float64Array(tiers)
    this.waiting = new Uint32Array(tiers)
    this.keeps = new Float64Array(tiers)
  }

  /** Brings the account up to date: before each change. */
  at(now: number): void {
    const time = now - this.since
    if (time === 0) return
    this.since = now
    this.usedTime += time * this.usedNow
    if (this.waitingNow > 0) this.keptTime += time * this.kept()
  }

  take(now: number, tier: number, units: number): void {
    this.at(now)
    this.used[tier] = (this.used[tier] as number) + units
    this.usedNow += units
  }

  wait(now: number, tier: number, more: 1 | -1): void {
    this.at(now)
    this.waiting[tier] = (this.waiting[tier] as number) + more
    this.waitingNow += more
  }

  /** Idle units by time, and those of them that were kept from somebody who waited. */
  idle(): { idle: number; kept: number; part: number } {
    const whole = this.capacity * this.since
    const idle = Math.max(0, whole - this.usedTime)
    return { idle, kept: this.keptTime, part: whole > 0 ? idle / whole : 0 }
  }

  /** Whether somebody below this tier waits. */
  waitsBelow(tier: number): boolean {
    for (let t = 0; t < tier; t++) if ((this.waiting[t] as number) > 0) return true
    return false
  }

  private kept(): number {
    let kept = 0
    for (let t = 0; t < this.keeps.length; t++) if (this.waitsBelow(t)) kept = Math.max(kept, this.keeps[t] as number)
    return Math.min(kept, Math.max(0, this.capacity - this.usedNow))
  }
}
