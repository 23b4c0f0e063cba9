import type { RecordFields } from '../telemetry/record.js'

/** A record of telemetry, with names for numbers. Who is told of many is told by the same objects again: what is to be kept is copied, field by field, for some are read from where the record lies. */
export interface Activity {
  /** ms since the Unix epoch */
  readonly time: number
  readonly event: RecordFields['event']
  readonly kind: RecordFields['kind']
  /** of the element */
  readonly name: string
  /** what stands for the element, as a Numbered takes it; undefined: there is none */
  readonly hint?: number | undefined
  /** index of the tier, lowest first */
  readonly tier: number
  readonly outcome: RecordFields['outcome']
  /** of a lock: beside others */
  readonly shared: boolean
  readonly workflow: string | undefined
  /** the same for the workflow */
  readonly workflowHint?: number | undefined
  readonly tenant: string | undefined
  /** number of the client; of the environment, where none was named */
  readonly client: number
  /** number of the environment */
  readonly environment: number
  /** as {@link TelemetryRecord.amount} */
  readonly amount: number
  /** ms */
  readonly waited: number
  /** ms; NaN: not known, or not over */
  readonly held: number
}

/** A request that was made. As {@link Activity}, not to be kept. */
export interface Asked {
  /** ms since the Unix epoch at which it was made */
  readonly time: number
  readonly activity: Activity
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** To write into, by whoever tells of many. */
export type AskedFields = Writable<Asked>
