/** Of strangeness: bins, sixteen to a doubling, from 1/128 to 2^20 times the unit. What lies outside counts as in the last. */
const PER_DOUBLING = 16
const LEAST = -7
const BINS = (20 - LEAST) * PER_DOUBLING
/** The part of the values that counts as the tail, whose course goes on beyond the largest. */
const TAIL_PART = 0.05
const TAIL_LEAST = 5
/** What is less than this part of the unit is no difference. */
const FLOOR = 0.02
/** With fewer values nothing is rare. */
const FEWEST = 20
/** With so many, the older count half: about what two months of five-minute values are. */
const MOST = 16_384
/** Of the exponent of the tail: what the sum of its logarithms begins with, as few values say little. */
const PRIOR = 0.3
const STEEPEST = 0.05
/** Of so many values as are kept none can be told to be rarer than about one of them. */
const RAREST = 4

/**
 * How rare a strangeness is among all that were seen: minus the decimal logarithm of its conformal p-value (Laxhammar and Falkman, Ann. Math.
 * Artif. Intell. 74, 2015), from the rank among them, and in the tail and beyond it from a Pareto law fitted to the largest (Hill, Ann.
 * Stat. 3(5), 1975), as in SPOT (Siffer et al., KDD 2017). It adapts: among values that jump about, a jump is not rare. In a histogram, so
 * that it keeps the same 4 KB whatever it sees.
 */
export class Rarity {
  private readonly counts = new Float64Array(BINS)
  private total = 0
  /** the highest bin that was ever used */
  private highest = 0

  /** @param strangeness >= 0, in units of what the series varies by */
  add(strangeness: number): void {
    const bin = binOf(strangeness)
    this.counts[bin] = (this.counts[bin] as number) + 1
    if (bin > this.highest) this.highest = bin
    if (++this.total < MOST) return
    this.total = 0
    for (let i = 0; i < BINS; i++) this.total += this.counts[i] = (this.counts[i] as number) / 2
  }

  /** 0: nothing out of the ordinary; 2: one of a hundred; 4 at most. */
  of(strangeness: number): number {
    const { counts, total } = this
    if (total < FEWEST) return 0
    const tail = Math.max(TAIL_LEAST, TAIL_PART * total)
    const bin = binOf(strangeness)
    let [above, logs, at] = [0, 0, this.highest]
    for (; at >= 0; at--) {
      const count = counts[at] as number
      if (count === 0) continue
      if (above + count >= tail) break
      above += count
      logs += count * (LOGS[at] as number)
    }
    if (bin > at) {
      const from = LOGS[at] as number
      const exponent = (logs - above * from + PRIOR) / tail
      const beyond = (Math.log(strangeness + FLOOR) - from) / Math.LN10 / Math.max(STEEPEST, exponent)
      return Math.min(RAREST, Math.log10((total + 1) / tail) + Math.max(0, beyond))
    }
    for (; at > bin; at--) above += counts[at] as number
    return Math.log10((total + 1) / (above + (counts[bin] as number) / 2 + 1))
  }
}

function binOf(strangeness: number): number {
  if (!(strangeness > 2 ** LEAST)) return 0
  return Math.min(BINS - 1, Math.floor((Math.log2(strangeness) - LEAST) * PER_DOUBLING))
}

/** Of the middle of each bin; of the lowest, which reaches down to 0, of its lower end. */
const LOGS = Float64Array.from({ length: BINS }, (_, bin) => Math.log((bin === 0 ? 0 : 2 ** (LEAST + (bin + 0.5) / PER_DOUBLING)) + FLOOR))
