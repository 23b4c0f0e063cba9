import { refuse } from '../checks.js'
import type { Workload } from './trace.js'

/** One thing that is set otherwise than in the trace. */
export interface Setting {
  /** as it was given */
  readonly text: string
  /** of pools, a dimension; of a bucket, its name */
  readonly kind: 'capacity' | 'rate'
  readonly name: string
  readonly value: number
}

const FORM = /^(capacity|rate)\.(.+)=([^=]+)$/

/**
 * Reads settings: `capacity.DIMENSION=UNITS`, or `rate.BUCKET=TOKENS a second`.
 *
 * @throws ArgumentError
 */
export function readSettings(texts: readonly string[]): readonly Setting[] {
  return texts.map(text => {
    const [, kind, name = '', number] = FORM.exec(text) ?? []
    const value = Number(number)
    if (!(value > 0 && value <= Number.MAX_SAFE_INTEGER)) {
      throw refuse('--what-if', 'capacity.DIMENSION=NUMBER or rate.BUCKET=NUMBER, numbers > 0, separated by commas', text)
    }
    return { text, kind: kind as Setting['kind'], name, value }
  })
}

/**
 * The workload with one thing set otherwise.
 *
 * @throws ArgumentError if it has no such thing
 */
export function changed(workload: Workload, { text, kind, name, value }: Setting): Workload {
  const { pools, buckets } = workload
  const isThere =
    kind === 'capacity' ? pools.some(({ capacity }) => Object.hasOwn(capacity, name)) : buckets.some(bucket => bucket.name === name)
  if (!isThere) {
    const known =
      kind === 'capacity' ? [...new Set(pools.flatMap(({ capacity }) => Object.keys(capacity)))] : buckets.map(bucket => bucket.name)
    throw refuse('--what-if', `about one of ${known.length === 0 ? 'nothing, for there is none' : known.join(', ')}`, text)
  }
  return {
    ...workload,
    setting: `${workload.setting}+${text}`,
    pools:
      kind === 'rate'
        ? pools
        : pools.map(pool => ({
            ...pool,
            capacity: Object.hasOwn(pool.capacity, name) ? { ...pool.capacity, [name]: Math.ceil(value) } : pool.capacity
          })),
    buckets: kind === 'capacity' ? buckets : buckets.map(bucket => (bucket.name === name ? { ...bucket, rate: value } : bucket))
  }
}
