import { NotFoundError } from '../errors/index.js'
import { Pool, pools, type UsageLook } from '../pool.js'
import type { Session } from '../session.js'
import { nameOfPlace } from '../shadow/places.js'
import { Standing } from '../standing.js'
import { RecordNames } from '../telemetry/names.js'
import { decodeNotes } from '../telemetry/record.js'
import { noTelemetry } from '../telemetry.js'
import { NS_PER_MS } from '../units.js'
import { decodeRunNote } from '../workflow/notes.js'
import { type RunTold, toldOf } from '../workflow/sizing.js'
import type { Activity } from './activity.js'
import { LaneActivity, LaneRecords } from './lane-activity.js'
import type { Outlook } from './outlook.js'

const RECORDS = 8_192
const NOTES_BYTES = 1 << 18
/** Pools that are looked at; of more, those that were asked for last. */
const POOLS_MAX = 256
/** ms between two looks at what pools have handed out. */
const POOLS_EVERY_MS = 100
/** Elements of the library's own. */
const OWN = 'forelock:'

/** A pool that was asked for, and is looked at. */
interface MetPool {
  readonly pool: Pool
  /** the number of looks until it was asked for last */
  asked: number
  /** the last one; undefined: none yet */
  look: UsageLook | undefined
}

/** Who is told what happened in an arena. */
export type Told = Pick<Outlook, 'happened' | 'ended' | 'used'>

/** Reads the lanes of an arena, apart from whoever else does in the same session, and tells an outlook, or whoever it is told, what happened. */
export class LaneWatch<O extends Told = Outlook> {
  readonly #session: Session
  readonly #outlook: O
  readonly #onSized: (record: RunTold) => void
  readonly #reader: number
  readonly #names: RecordNames
  readonly #records: LaneRecords
  /** of each place in them, to be told of again: else each record leaves an object behind */
  readonly #used: LaneActivity[] = []
  /** those of them that are told of, again and again the same list */
  readonly #told: LaneActivity[] = []
  readonly #notes = new Uint8Array(NOTES_BYTES)
  readonly #pools = new Map<string, MetPool>()
  /** looks at pools so far */
  #looks = 0
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
    // Names as users know them: those of rules that run dry are left out, and those of the library's own.
    this.#names = new RecordNames(session, place => {
      const { name, shadow } = nameOfPlace(place)
      return shadow || name.startsWith(OWN) ? '' : name
    })
    this.#reader = session.binding.observe()
    this.#records = new LaneRecords(RECORDS, session.binding.wallClock(0))
    this.#outlook = makeOutlook(this.now())
  }

  get outlook(): O {
    return this.#outlook
  }

  /** ms since the Unix epoch, by the arena's clock. */
  now(): number {
    return this.#records.offset + this.#session.binding.now() / NS_PER_MS
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
    const count = binding.drainRecords(this.#reader, this.#records.bytes)
    if (count > 0) this.#outlook.happened(this.#activities(count))
    const bytes = binding.drainNotes(this.#reader, this.#notes)
    if (bytes > 0) this.#readNotes(bytes)
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
    const activities = this.#told
    let told = 0
    for (let place = 0; place < count; place++) {
      const used = this.#used[place] ?? this.#activity(place)
      if (this.#isTold(place, used)) activities[told++] = used
    }
    activities.length = told
    this.events += told
    return activities
  }

  /** Those before it are there. */
  #activity(place: number): LaneActivity {
    const activity = new LaneActivity(this.#records, place)
    this.#used.push(activity)
    return activity
  }

  /** Writes what the record at a place does not say itself. False: nobody is to be told of it. */
  #isTold(place: number, into: LaneActivity): boolean {
    const { table, hints, workflowHints } = this.#records
    const element = table.element(place)
    const number = this.#names.number(element, table.generation(place))
    const hint = this.#names.hintAt(element, table.kindNumber(place))
    if (hint === 0) return false
    // To learn another name may take the place of all others.
    const name = this.#names.named(number)
    const workflow = this.#names.numberOf(table.workflow(place))
    hints[place] = hint
    workflowHints[place] = this.#names.hint(workflow)
    into.renew()
    into.name = name
    into.workflow = this.#names.nameOf(workflow)
    into.tenant = this.#names.name(table.tenant(place))
    if (into.kind === 'pool') this.#meet(name)
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
      this.#pools.set(name, { pool: new Pool(this.#session, name, undefined, 'pool', false, false), asked: this.#looks, look: undefined })
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
    for (const [name, met] of this.#pools) {
      try {
        met.look = pools.usageAfter(met.pool, met.look)
        this.#outlook.used(now, name, met.look.usage)
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error
        this.#pools.delete(name)
      }
    }
  }
}
