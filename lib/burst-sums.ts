import { exceeds, labelled } from './arena-wait.js'
import { type Bucket, buckets } from './bucket.js'
import { At, Time } from './native/binding.js'
import type { Session } from './session.js'

/** Above no more than this there is nothing; how the addon says that nothing is above a bucket. */
const LEVELS_MOST = 16
const NO_BUCKET = -1
/** What tokens that are rounded to parts of one, and sums of them, are off by at most. */
const ROUNDING = 1e-9

/** Tokens of one bucket, as a part of what is wanted together. */
export interface TokensWanted {
  readonly bucket: Bucket
  readonly tokens: number
}

/** What one bucket would have to give, for itself and those below it. */
interface Sum {
  tokens: number
  readonly names: string[]
}

/**
 * Of buckets that are wanted together some may be above others, or below the same one, which then gives to each of them at once. One that is wanted by itself, or is too small for that, is
 * left to whoever asks it.
 *
 * @throws ExceedsError if one would have to give more than its burst
 */
export function mustFitTogether(session: Session, wanted: readonly TokensWanted[]): void {
  const beyond = beyondBurst(session, wanted)
  if (beyond !== undefined) throw tooMuch(beyond)
}

/** The same for who only asks. */
export function fitTogether(session: Session, wanted: readonly TokensWanted[]): boolean {
  return beyondBurst(session, wanted) === undefined
}

function beyondBurst(session: Session, wanted: readonly TokensWanted[]): Sum | undefined {
  if (wanted.length < 2) return undefined
  const sums = new Map<number, Sum>()
  for (const { bucket, tokens } of wanted) {
    // One that runs dry refuses nobody.
    if (buckets.isDry(bucket)) continue
    let index = buckets.elementOf(bucket).index
    for (let level = 0; level < LEVELS_MOST && index !== NO_BUCKET; level++) {
      const sum = sums.get(index) ?? { tokens: 0, names: [] }
      sums.set(index, sum)
      sum.tokens += tokens
      sum.names.push(bucket.name)
      const { burst, above } = readBucket(session, index, bucket)
      if (sum.names.length > 1 && sum.tokens > burst * (1 + ROUNDING)) return sum
      index = above
    }
  }
  return undefined
}

function readBucket(session: Session, index: number, { name }: Bucket): { readonly burst: number; readonly above: number } {
  const { binding, scratch, times } = session
  scratch[At.Index] = index
  session.check(binding.bucketPace(), name)
  return { burst: times[Time.Amounts + 2] as number, above: scratch[At.Waiter] }
}

function tooMuch({ tokens, names: [first = '', ...others] }: Sum): Error {
  const together = others.map(name => labelled('bucket', name)).join(', ')
  return exceeds(`${labelled('bucket', first)} together with ${together}`, first, tokens)
}
