import { RECORD_BYTES, RecordTable, type TelemetryRecord } from '../telemetry/record.js'
import { NS_PER_MS } from '../units.js'
import type { Activity } from './activity.js'

/** Records as they were drained, and what stands for the names in them. */
export class LaneRecords {
  readonly bytes: Uint8Array
  readonly table: RecordTable
  /** by place: {@link Activity.hint}, {@link Activity.workflowHint} */
  readonly hints: Float64Array
  readonly workflowHints: Float64Array
  /** ms since the Unix epoch at which their clock was 0 */
  readonly offset: number

  /** @param most records */
  constructor(most: number, offset: number) {
    this.bytes = new Uint8Array(most * RECORD_BYTES)
    this.table = new RecordTable(this.bytes)
    this.hints = new Float64Array(most)
    this.workflowHints = new Float64Array(most)
    this.offset = offset
  }
}

/**
 * What a record says, read where that lies. Of ten thousand requests a second each copy of a record, with places of their own for its numbers, is a part of all caches, and what was there before
 * has to be fetched again.
 */
export class LaneActivity implements Activity {
  name = ''
  workflow: string | undefined = undefined
  tenant: string | undefined = undefined
  /** what is asked of each more than once */
  event: Activity['event'] = 'unknown'
  kind: Activity['kind'] = 'unknown'
  tier = 0
  readonly #records: LaneRecords
  readonly #place: number

  /** @param place of the record */
  constructor(records: LaneRecords, place: number) {
    this.#records = records
    this.#place = place
  }

  /** Another record lies there. */
  renew(): void {
    const { table } = this.#records
    this.event = table.event(this.#place)
    this.kind = table.kind(this.#place)
    this.tier = table.tier(this.#place)
  }

  get hint(): number {
    return this.#records.hints[this.#place] as number
  }

  get workflowHint(): number {
    return this.#records.workflowHints[this.#place] as number
  }

  get time(): number {
    return this.#records.offset + this.#records.table.time(this.#place) / NS_PER_MS
  }

  get outcome(): TelemetryRecord['outcome'] {
    return this.#records.table.outcome(this.#place)
  }

  get shared(): boolean {
    return this.#records.table.shared(this.#place)
  }

  get client(): number {
    return this.#records.table.client(this.#place) || this.environment
  }

  get environment(): number {
    return this.#records.table.environment(this.#place)
  }

  get amount(): number {
    return this.#records.table.amount(this.#place)
  }

  get waited(): number {
    return this.#records.table.waited(this.#place) / NS_PER_MS
  }

  get held(): number {
    const { event } = this
    const held = event === 'end' || event === 'reclaim' ? this.#records.table.held(this.#place) : 0
    return held > 0 ? held / NS_PER_MS : Number.NaN
  }
}
