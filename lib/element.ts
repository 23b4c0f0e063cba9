import type { Session } from './session.js'

/** Where a name lives in the arena, for as long as the generation lasts. A recycled element answers `Stale`. */
export class Element {
  constructor(
    readonly session: Session,
    readonly name: string,
    readonly index: number,
    readonly gen: number,
    private readonly baseHigh: number,
    private readonly baseLow: number
  ) {}

  /** The fencing token of the grant with this sequence. */
  token(seq: number): bigint {
    return (BigInt(this.baseHigh) << 32n) + BigInt(this.baseLow) + BigInt(seq)
  }
}
