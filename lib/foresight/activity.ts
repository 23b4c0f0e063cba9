import type { RecordFields } from '../telemetry/record.js'

/** A record of telemetry, with names for numbers. */
export interface Activity {
  /** ms since the Unix epoch */
  readonly time: number
  readonly event: RecordFields['event']
  readonly kind: RecordFields['kind']
  /** of the element */
  readonly name: string
  /** index of the tier, lowest first */
  readonly tier: number
  readonly outcome: RecordFields['outcome']
  /** of a lock: beside others */
  readonly shared: boolean
  readonly workflow: string | undefined
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

/** A request that was made. */
export interface Asked {
  /** ms since the Unix epoch at which it was made */
  readonly time: number
  readonly activity: Activity
}
