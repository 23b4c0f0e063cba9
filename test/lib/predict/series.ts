/** Random numbers that are the same each time (mulberry32), from 0 to 1. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Normally distributed, by Box and Muller. */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Days of 24 steps, weeks of 7 days whose last two are lower, and noise. */
export function hourly(length: number, noise: number, seed = 1): number[] {
  const random = seeded(seed)
  return Array.from({ length }, (_, t) => {
    const weekend = Math.floor(t / 24) % 7 >= 5
    return 100 + (weekend ? 10 : 40) * Math.sin((2 * Math.PI * t) / 24) + (weekend ? -20 : 0) + noise * normal(random)
  })
}
