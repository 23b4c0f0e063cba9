import { NotFoundError } from '../errors/index.js'
import { Pool } from '../pool.js'
import type { Session } from '../session.js'
import { nameOfPlace } from '../shadow/places.js'
import { Standing } from '../standing.js'
import { RecordNames } from '../telemetry/names.js'
import { blankRecord, decodeNotes, RECORD_BYTES, type RecordFields, readRecord } from '../telemetry/record.js'
import { noTelemetry } from '../telemetry.js'
import { NS_PER_MS } from '../units.js'
import { decodeRunNote } from '../workflow/notes.js'
import { type RunTold, toldOf } from '../workflow/sizing.js'
import type { Activity, ActivityFields } from './activity.js'
import type { Outlook } from './outlook.js'

const RECORDS = 8_192
const NOTES_BYTES = 1 << 18
/** Pools that are looked at; of more, those that were asked for last. */
const POOLS_MAX = 256
/** ms between two looks at what pools have handed out. */
const POOLS_EVERY_MS = 100
/** Elements of the library's own. */
const OWN = 'forelock:'
const INCARNATIONS = 2 ** 16

/** Who is told what happened in an arena. */
export type Told = Pick<Outlook, 'happened' | 'ended' | 'used'>

/** Reads the lanes of an arena, apart from whoever else does in the same session, and tells an outlook, or whoever it is told, what happened. */
export class LaneWatch<O extends Told = Outlook> {
  readonly #session: Session
  readonly #outlook: O
  readonly #onSized: (record: RunTold) => void
  readonly #reader: number
  readonly #names: RecordNames
  readonly #records = new Uint8Array(RECORDS * RECORD_BYTES)
  readonly #view = new DataView(this.#records.buffer)
  readonly #record: RecordFields = blankRecord()
  /** what was told of last, to be written again: else each record leaves some 200 bytes behind */
  readonly #used: ActivityFields[] = []
  readonly #notes = new Uint8Array(NOTES_BYTES)
  readonly #pools = new Map<string, { readonly pool: Pool; asked: number }>()
  /** looks at pools so far */
  #looks = 0
  readonly #offset: number
  readonly #standing: Standing
  #lookedAtPools = Number.NEGATIVE_INFINITY
  #isOver = false
  events = 0
  runs = 0

  /**
   * @param onSized is told of each run whose workflow learns what its runs need
   * @throws CapacityError if the arena has no room for telemetry; ClosedError
   */
  constructor(session: Session, makeOutlook: (since: number) => O, onSized: (record: RunTold) => void = () => {}) {
    session.mustBeOpen()
    if (session.binding.capacity.telemetry === 0) throw noTelemetry()
    this.#session = session
    this.#standing = new Standing(session)
    this.#onSized = onSized
    // Names as users know them: those of rules that run dry are left out.
    this.#names = new RecordNames(session, place => {
      const { name, shadow } = nameOfPlace(place)
      return shadow ? '' : name
    })
    this.#reader = session.binding.observe()
    this.#offset = session.binding.wallClock(0)
    this.#outlook = makeOutlook(this.now())
  }

  get outlook(): O {
    return this.#outlook
  }

  /** ms since the Unix epoch, by the arena's clock. */
  now(): number {
    return this.#offset + this.#session.binding.now() / NS_PER_MS
  }

  /** Records and notes that were overwritten before they were read. */
  get lost(): number {
    if (this.#isOver) return 0
    const [records, notes] = this.#session.binding.recordsLost(this.#reader)
    return records + notes
  }

  /** Reads a part of what there is. Whether there may be more. @throws RetiredError, CorruptError when the arena is of no more use */
  read(): boolean {
    if (this.#isOver || !this.#session.joined) return false
    this.#standing.look()
    const { binding } = this.#session
    const count = binding.drainRecords(this.#reader, this.#records)
    if (count > 0) this.#outlook.happened(this.#activities(count))
    const bytes = binding.drainNotes(this.#reader, this.#notes)
    this.#readNotes(bytes)
    this.#lookAtPools()
    return count === RECORDS || bytes > 0
  }

  /** All that there is now. */
  readAll(): void {
    while (this.read());
  }

  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#session.joined) this.#session.binding.unobserve(this.#reader)
  }

  #activities(count: number): Activity[] {
    const activities: Activity[] = []
    for (let at = 0; at < count; at++) {
      const used = this.#used[activities.length] ?? blankActivity()
      if (!this.#isTold(readRecord(this.#view, at * RECORD_BYTES, this.#record), used)) continue
      this.#used[activities.length] = used
      activities.push(used)
    }
    this.events += activities.length
    return activities
  }

  /** Writes what a record says. False: nobody is to be told of it. */
  #isTold(record: RecordFields, into: ActivityFields): boolean {
    const number = this.#names.number(record)
    const name = this.#names.named(number)
    if (name === '' || name.startsWith(OWN)) return false
    const { event, kind } = record
    if (kind === 'pool') this.#meet(name)
    const environment = record.participant * INCARNATIONS + record.incarnation
    const ends = event === 'end' || event === 'reclaim'
    into.time = this.#offset + record.time / NS_PER_MS
    into.event = event
    into.kind = kind
    into.name = name
    into.hint = number
    into.tier = record.tier
    into.outcome = record.outcome
    into.shared = record.shared
    into.workflow = this.#names.name(record.workflow)
    into.tenant = this.#names.name(record.tenant)
    into.client = record.client === 0 ? environment : record.client
    into.environment = environment
    into.amount = record.amount
    into.waited = record.waited / NS_PER_MS
    into.held = ends && record.held > 0 ? record.held / NS_PER_MS : Number.NaN
    return true
  }

  #readNotes(bytes: number): void {
    for (const note of decodeNotes(this.#notes, bytes)) {
      const told = decodeRunNote(this.#names.name(note.kind) ?? '', note.bytes)
      if (told === undefined) continue
      this.#outlook.ended(told)
      if (!('id' in told)) continue
      this.runs++
      if (told.sized !== undefined) this.#onSized(toldOf(told))
    }
  }

  #meet(name: string): void {
    // While close({ drain }) waits nobody is met any more.
    const known = this.#pools.get(name)
    if (known !== undefined) known.asked = this.#looks
    if (known !== undefined || !this.#session.open || !this.#hasRoom()) return
    try {
      this.#pools.set(name, { pool: new Pool(this.#session, name, undefined, 'pool', false, false), asked: this.#looks })
    } catch (error) {
      // Its place has been given to another since.
      if (!(error instanceof NotFoundError)) throw error
    }
  }

  /** Makes some where that takes none that was asked for since the last look but one. */
  #hasRoom(): boolean {
    if (this.#pools.size < POOLS_MAX) return true
    let oldest: string | undefined
    let asked = this.#looks - 1
    for (const [name, one] of this.#pools) {
      if (one.asked >= asked) continue
      oldest = name
      asked = one.asked
    }
    return oldest !== undefined && this.#pools.delete(oldest)
  }

  #lookAtPools(): void {
    const now = this.now()
    if (now - this.#lookedAtPools < POOLS_EVERY_MS) return
    this.#lookedAtPools = now
    this.#looks++
    for (const [name, { pool }] of this.#pools) {
      try {
        this.#outlook.used(now, name, pool.usage())
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
        this.#pools.delete(name)
      }
    }
  }
}

/** Its numbers are none of the small ones: what is written there later has its place in it already. */
function blankActivity(): ActivityFields {
  return {
    time: 0.5,
    event: 'unknown',
    kind: 'unknown',
    name: '',
    hint: 0,
    tier: 0,
    outcome: 'unknown',
    shared: false,
    workflow: undefined,
    tenant: undefined,
    client: 0.5,
    environment: 0.5,
    amount: 0.5,
    waited: 0.5,
    held: Number.NaN
  }
}
