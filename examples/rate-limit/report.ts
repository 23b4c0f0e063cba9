import type { Count } from './count.js'
import type { Load } from './load.js'
import { type Log, POLICY } from './messages.js'

/** The headers of an answer. */
export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string | null>>
}

export interface Facts {
  readonly seen: readonly Seen[]
  readonly loaded: Load
  readonly logs: readonly Log[]
  readonly count: Count
}

/** By how much of the limit what was admitted may differ from it. */
const TOLERANCE = 0.005

/**
 * What each process let through, what all did together, and the headers.
 *
 * @throws Error if more was admitted than the limit, or less although there was demand all the time
 */
export function report({ seen, loaded, logs, count }: Facts): string {
  const [admitted, refused] = [sum(logs, 'admitted'), sum(logs, 'refused')]
  return [
    ...logs.map((log, i) => `process ${i + 1}: ${log.admitted.length / 2} admitted, ${log.refused.length / 2} refused`),
    `all: ${admitted} admitted, ${refused} refused; autocannon saw ${loaded['2xx']} and ${loaded['4xx']}, errors ${loaded.errors}`,
    ...seen.map(({ status, headers }) => `headers of a ${status}: ${JSON.stringify(headers)}`),
    verdict(count)
  ].join('\n')
}

function verdict({ time, least, most, longestGap }: Count): string {
  const expected = (POLICY.rate * time) / 1e9
  const between = `${least} to ${most} admitted in the ${time} ns between two refusals`
  if (least > expected * (1 + TOLERANCE) + 1) throw new Error(`${between}: more than the limit`)
  if (longestGap >= (POLICY.burst / POLICY.rate) * 1e9)
    return `${between}; the load had a gap of ${longestGap} ns, in which the bucket filled`
  if (most < expected * (1 - TOLERANCE) - 1) throw new Error(`${between}: less than the limit`)
  return `${between}: ${((most / time) * 1e9).toFixed(2)} a second, and the limit is ${POLICY.rate}`
}

function sum(logs: readonly Log[], kind: keyof Log): number {
  return logs.reduce((all, log) => all + log[kind].length / 2, 0)
}
