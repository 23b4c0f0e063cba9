/** Names that are counted at a time. */
const COUNTED_MOST = 65_536
/** And told in the end. */
const TOLD = 256

/**
 * Which names occur most often, in bounded memory: when there are too many, those seen least are forgotten (after lossy counting: Manku and
 * Motwani, "Approximate Frequency Counts over Data Streams", VLDB 2002), so a rare one may be counted too low.
 */
export class Busiest {
  private readonly counts = new Map<string, number>()
  private forgotten = 0

  constructor(private readonly most = COUNTED_MOST) {}

  add(name: string): void {
    const { counts } = this
    counts.set(name, (counts.get(name) ?? this.forgotten) + 1)
    while (counts.size > this.most) {
      this.forgotten++
      for (const [known, count] of counts) if (count <= this.forgotten) counts.delete(known)
    }
  }

  /** Most often first. */
  get names(): readonly string[] {
    return [...this.counts]
      .sort(([, a], [, b]) => b - a)
      .slice(0, TOLD)
      .map(([name]) => name)
  }
}
