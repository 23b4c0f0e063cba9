import type { Usage } from '../metering/counters.js'
import type { AmountsByName } from '../pool-terms.js'

/** How work ended: done; failed, or a probe, so that its times say nothing; or given up because of overload or lack of time. */
export const OUTCOMES = ['success', 'ignore', 'drop'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Whether data came all at once or over most of the time. */
export type DataPattern = 'burst' | 'stream'

/** What was sent or received in an action, as it was told. */
export interface DataMoved {
  /** bytes together */
  readonly bytes: number
  readonly transfers: number
  /** bytes */
  readonly largest: number
  readonly pattern: DataPattern
}

/** What was booked to a run, or to one of its actions. */
export interface BookedSums {
  /** requests, granted or not */
  readonly requests: number
  readonly refused: number
  /** ms that requests waited, added up */
  readonly waited: number
  readonly tokens: number
}

interface WorkRecord {
  /** ms */
  readonly duration: number
  readonly outcome: Outcome
  /** what was measured; what could not be is not there */
  readonly usage: Partial<Usage>
  /** undefined: nothing says what it costs */
  readonly cost: number | undefined
  readonly booked: BookedSums
}

/** What a run used over its time, column by column, at up to 64 points; its end is the last. What could not be measured has no column. */
export interface UsageCurve {
  /** ms from the beginning of the run */
  readonly times: readonly number[]
  /** ms of CPU time from the beginning of the run on */
  readonly cpu?: readonly number[]
  /** bytes in use */
  readonly memory?: readonly number[]
}

/** An action of a run, as it was. */
export interface ActionRecord extends WorkRecord {
  readonly name: string
  /** the how-manieth of its run, from 0 on, in the order of their beginnings */
  readonly position: number
  /** ms from the beginning of the run */
  readonly offset: number
  /** certifications that it needed, as labels of pools */
  readonly certifications: readonly string[]
  readonly data: DataMoved | undefined
}

/** What a run that was sized held and used, as its record has it. */
export interface SizedRecord {
  /** the name of the pool */
  readonly pool: string
  /** by dimension: what it held at its end */
  readonly granted: AmountsByName
  /** by dimension, as far as it is known */
  readonly used: Readonly<Record<string, number>>
  /** which try it was, from 1 on */
  readonly tries: number
}

/** A run of a workflow, as it was. */
export interface RunRecord extends WorkRecord {
  /** different from that of all other runs */
  readonly id: string
  /** the run that it was part of */
  readonly parent: string | undefined
  readonly workflow: string
  readonly type: string
  /** name of its tier */
  readonly tier: string
  readonly tenant: string | undefined
  readonly client: string | undefined
  /** ms since the Unix epoch */
  readonly start: number
  /** ms from the request to the admission */
  readonly waited: number
  /** the fields of its input that are kept */
  readonly input: Readonly<Record<string, unknown>>
  /** what it held and used of the pool whose need its workflow learns; undefined: it learns none */
  readonly sized?: SizedRecord | undefined
  /** the events that it was about */
  readonly events: readonly string[]
  readonly actions: readonly ActionRecord[]
  /** where it was sampled ({@link MeteringOptions.every}) */
  readonly curve?: UsageCurve
}

/** What a history knows of a run: all but what was booked to it, and how it was sized. */
export type PastRecord = Omit<RunRecord, 'booked' | 'sized' | 'actions'> & { readonly actions: readonly Omit<ActionRecord, 'booked'>[] }
