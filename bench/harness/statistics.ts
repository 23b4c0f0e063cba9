/** The value below which a share q of the samples lies, by the nearest rank. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new Error('no samples')
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? quantile(samples, 0.5) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/**
 * What a row says of the samples of several processes: the median of their medians, so that one disturbed process moves nothing; or, for
 * a row whose id ends in -p99, the 99th percentile of all samples, since the rare ones are what it is about.
 */
export function summary(id: string, processes: readonly (readonly number[])[]): number {
  return id.endsWith('-p99') ? quantile(processes.flat(), 0.99) : median(processes.map(median))
}
