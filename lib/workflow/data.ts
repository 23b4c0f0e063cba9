import { refuse } from '../checks.js'
import type { DataMoved } from './record.js'

/** Transfers over at least this part of the time are a stream. */
const STREAM_PART = 0.5
const STREAM_TRANSFERS = 3

/** Adds up what an action tells of the data that it sends and receives. */
export class DataTally {
  private bytes = 0
  private transfers = 0
  private largest = 0
  private first = 0
  private last = 0

  /**
   * @param at ms
   * @throws ArgumentError
   */
  add(bytes: unknown, at: number): void {
    if (typeof bytes !== 'number' || !(bytes >= 0) || bytes === Number.POSITIVE_INFINITY) throw refuse('bytes', 'a number >= 0', bytes)
    if (this.transfers === 0) this.first = at
    this.last = at
    this.transfers++
    this.bytes += bytes
    if (bytes > this.largest) this.largest = bytes
  }

  /** Three transfers or more that go on over half of the time are a stream, anything else is a burst. */
  moved(durationMs: number): DataMoved | undefined {
    if (this.transfers === 0) return undefined
    const { bytes, transfers, largest, first, last } = this
    const streams = transfers >= STREAM_TRANSFERS && last - first >= STREAM_PART * durationMs
    return { bytes, transfers, largest, pattern: streams ? 'stream' : 'burst' }
  }
}
