import { Attribution } from '../metering/attribution.js'
import type { Usage, UsageField } from '../metering/counters.js'
import { Meter, type MeterMethods } from '../metering/meter.js'
import type { MeterLevel, MeterScopeOption } from '../metering/scope.js'
import type { Session } from '../session.js'
import { SampleClock } from './sample-clock.js'
import { UsageReader } from './usage-reader.js'

/** Whose use counts as that of a run: a scope of a meter, or what was done in its own asynchronous context. */
export type RunScope = MeterScopeOption | 'async'

/** Options of metering, checked. */
export interface ReadMetering {
  readonly scope: RunScope
  readonly level: MeterLevel
  readonly per: 'run' | 'action'
  /** ms between samples of a run; 0: none */
  readonly every: number
}

/** How the runs of a workflow are measured. */
export interface Metering {
  readonly reader: UsageReader
  readonly level: MeterLevel
  readonly perAction: boolean
  /** whether the scope has what child processes use */
  readonly hasChildren: boolean
  /** whether it has what all threads of this process use */
  readonly hasThreads: boolean
  readonly attribution: Attribution<object> | undefined
  readonly every: number
  readonly samples: SampleClock
}

/** What the workflows of a governor share: files are kept open and a hook is called once, however many they are. */
interface Shared {
  readonly readers: Map<string, UsageReader>
  readonly samples: SampleClock
  attribution: Attribution<object> | undefined
}

const shared = new WeakMap<Session, Shared>()

/** @throws as Meter */
export function openMetering(session: Session, { scope, level, per, every }: ReadMetering): Metering {
  const { samples, ...of } = sharedBy(session)
  const hasAll = scope === 'host' || (typeof scope === 'object' && 'cgroup' in scope)
  return {
    reader: readerOf(of.readers, scope === 'async' ? 'thread' : scope, level),
    level,
    perAction: per === 'action',
    hasChildren: hasAll || scope === 'children',
    hasThreads: hasAll || scope === 'process',
    attribution: scope === 'async' ? attributionOf(session) : undefined,
    every,
    samples
  }
}

/** How each value of a run's usage is measured. @throws ClosedError */
export function methodsOf({ reader, attribution }: Metering): MeterMethods {
  const methods = reader.meter.methods
  return attribution === undefined
    ? methods
    : { ...methods, cpu: `${methods.cpu}, whenever the thread goes on with another run (async_hooks)` }
}

function sharedBy(session: Session): Shared {
  const known = shared.get(session)
  if (known !== undefined) return known
  const made: Shared = { readers: new Map(), samples: new SampleClock(session), attribution: undefined }
  shared.set(session, made)
  session.leaving.push(() => {
    made.samples.close()
    made.attribution?.close()
    for (const { meter } of made.readers.values()) meter.close()
  })
  return made
}

function readerOf(readers: Shared['readers'], scope: MeterScopeOption, level: MeterLevel): UsageReader {
  const key = JSON.stringify([scope, level])
  const known = readers.get(key)
  if (known !== undefined) return known
  const made = new UsageReader(new Meter(scope, { level }))
  readers.set(key, made)
  return made
}

function attributionOf(session: Session): Attribution<object> {
  const of = sharedBy(session)
  of.attribution ??= new Attribution<object>()
  return of.attribution
}

/** Adds what somebody else used to what others did: the larger of two peaks of memory; no wall time, which passes once. */
export function add(sum: Partial<Usage>, other: Partial<Usage>): void {
  for (const field of Object.keys(other) as UsageField[]) {
    const [before, more] = [sum[field] ?? 0, other[field] as number]
    if (field === 'memoryPeak') sum.memoryPeak = Math.max(before, more)
    else if (field !== 'wall') sum[field] = before + more
  }
}

/** What work used itself, with what others used for it. Of a field that it does not have itself theirs would not be all: it stays absent, but for the peak. */
export function together(own: Partial<Usage>, others: Partial<Usage>): Partial<Usage> {
  const sum: Partial<Usage> = {}
  for (const field of Object.keys(others) as UsageField[]) {
    if (field === 'memoryPeak' || own[field] !== undefined) sum[field] = others[field] as number
  }
  add(sum, own)
  return { ...own, ...sum }
}
