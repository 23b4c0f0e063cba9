import type { ShadowAnswer } from './answer.js'

/** What a shadow request said, for whoever wants to know later how true it was. Times of a day in ms since the Unix epoch. */
export interface Estimate {
  /** unique on the host */
  readonly id: string
  readonly made: number
  /** when the request would be made: the truth is a request of that tier there, at about that time */
  readonly due: number
  readonly what: 'wait'
  readonly kind: ShadowAnswer['kind'] | 'admission'
  readonly name: string
  readonly tier: string
  readonly value: {
    readonly verdict: ShadowAnswer['verdict']
    readonly contention: number
    /** ms, undefined: it was not known */
    readonly p50: number | undefined
    readonly p95: number | undefined
  }
}
